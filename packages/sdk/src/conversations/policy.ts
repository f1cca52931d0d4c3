/**
 * Who may do what: kind and admins of a conversation, in the signed group context, so that all members judge alike.
 * CBOR [1, [[account id, 'admin'] ...], 'direct' | 'group']. In a direct conversation both people are named, and nobody else
 * ever belongs to it.
 */
import { AccountId, ConversationKind, decodeCbor, encodeCbor } from '@tacit/contract'
import type { Role } from '../api.ts'

export interface Policy {
  readonly kind: ConversationKind
  readonly admins: readonly AccountId[]
}

export const encodePolicy = ({ kind, admins }: Policy): Uint8Array<ArrayBuffer> =>
  encodeCbor([1, admins.map((account) => [account, 'admin']), kind])

/** Undefined for bytes that are no policy. */
export function readPolicy(bytes: Uint8Array): Policy | undefined {
  let value: unknown
  try {
    value = decodeCbor(bytes)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value[0] !== 1 || !Array.isArray(value[1])) return undefined
  const kind = ConversationKind.safeParse(value[2]).data
  const admins = value[1].map((pair: unknown) =>
    Array.isArray(pair) && pair[1] === 'admin' ? AccountId.safeParse(pair[0]).data : undefined,
  )
  return kind && { kind, admins: admins.filter((account) => account !== undefined) }
}

/**
 * The role of an account. `accounts`: those with a leaf, in leaf order. When the last admin has left, the account that has
 * been there longest (lowest leaf) takes over, for all members alike.
 */
export function roleOf(
  { policy, accounts }: { readonly policy: Policy; readonly accounts: readonly AccountId[] },
  account: AccountId,
): Role {
  const present = policy.admins.filter((admin) => accounts.includes(admin))
  const admins = present.length > 0 ? present : accounts.slice(0, 1)
  return admins.includes(account) ? 'admin' : 'member'
}
