/**
 * What a step left behind: secrets that a state had and the next one has no more. Dropping them is what forward secrecy rests
 * on; overwriting them too is what a caller can do once the next state is stored (RFC 9420 sections 8 and 9.2).
 */
import type { Bytes } from '../port.ts'
import type { SecretTree } from './secret-tree.ts'
import type { GroupState } from './state.ts'

/** Every secret of a leaf's ratchets. */
export const ratchetSecrets = (ratchets: SecretTree['ratchets'][number]): Bytes[] => {
  if (!ratchets) return []
  const { handshake, application } = ratchets
  const secrets = [handshake.secret, application.secret]
  for (const { key, nonce } of handshake.skipped) secrets.push(key, nonce)
  for (const { key, nonce } of application.skipped) secrets.push(key, nonce)
  return secrets
}

const treeSecrets = ({ nodes, ratchets }: SecretTree): Bytes[] => [
  ...nodes.filter((secret) => secret !== undefined),
  ...ratchets.flatMap(ratchetSecrets),
]

/** Every secret of a state, but for the signature key, which is the caller's. */
export const secretsIn = (state: Pick<GroupState, 'secrets' | 'secretTree' | 'keys' | 'ownUpdates' | 'past'>): Set<Bytes> => {
  const { secrets, secretTree, keys, ownUpdates, past } = state
  const pairs = [...keys.values(), ...ownUpdates.values()].map(({ secretKey }) => secretKey)
  const late = past ? [past.senderData, ...treeSecrets(past.secretTree)] : []
  return new Set([...Object.values<Bytes>({ ...secrets }), ...treeSecrets(secretTree), ...pairs, ...late])
}

/** The secrets of `before` that `after` does not share. */
export const spentBetween = (before: GroupState, after: GroupState): Bytes[] => {
  const kept = secretsIn(after)
  return [...secretsIn(before)].filter((secret) => !kept.has(secret))
}
