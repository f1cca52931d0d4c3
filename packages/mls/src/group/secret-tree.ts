/**
 * The secret tree (RFC 9420 section 9), derived no further than messages need it. A secret leaves the tree in the step that
 * consumes it, and a skipped message keeps its key and nonce only: from neither can an earlier key be computed again.
 */
import type { Bytes } from '../port.ts'
import { NONE, text, wipe } from '../crypto/bytes.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { deriveSecret, deriveTreeSecrets, expandWithLabel } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { blanks, isLeafNode, isUnder, leafToNode, leftOf, nodeWidth, rightOf, rootOf } from '../public/tree-math.ts'

export interface MessageKey {
  readonly generation: number
  readonly key: Bytes
  readonly nonce: Bytes
}

/** The key of a message that was passed over, and when that was, in seconds since 1970. */
export interface SkippedKey extends MessageKey {
  readonly since: bigint
}

/** A sender's ratchet. `secret` belongs to `generation`, the next one to be used. */
export interface Ratchet {
  readonly generation: number
  readonly secret: Bytes
  /** Keys of generations that were passed over, oldest first. */
  readonly skipped: readonly SkippedKey[]
}

export type RatchetKind = 'handshake' | 'application'
export type LeafRatchets = { readonly [K in RatchetKind]: Ratchet }

export interface SecretTree {
  readonly leafCount: number
  /** By node index: secrets of subtrees from which nothing was derived yet. */
  readonly nodes: readonly (Bytes | undefined)[]
  /** By leaf index: ratchets that were begun. */
  readonly ratchets: readonly (LeafRatchets | undefined)[]
}

/** How many keys of skipped messages are kept per ratchet, and for how long (RFC 9420 section 9.2). */
export interface Retention {
  readonly count: number
  /** Seconds. */
  readonly lifetime: bigint
  /** Seconds since 1970, by the caller's clock. */
  readonly now: bigint
}

export const NO_RETENTION: Retention = { count: 0, lifetime: 0n, now: 0n }

const ONE_DAY = 86_400n

/** What a caller wants kept; nothing unless it says so. */
export const retentionOf = (wanted: { readonly skippedKeys?: number; readonly skippedLifetime?: bigint }, now: bigint): Retention => ({
  count: wanted.skippedKeys ?? 0,
  lifetime: wanted.skippedLifetime ?? ONE_DAY,
  now,
})

/** How far a receiver follows a sender, and what it keeps of the messages in between. */
export interface RatchetLimits {
  readonly forward: number
  readonly skipped: Retention
}

/** What may still be kept of skipped keys; the very same list when nothing is too old. */
export const withinLifetime = (skipped: readonly SkippedKey[], { lifetime, now }: Retention): readonly SkippedKey[] =>
  skipped.some(({ since }) => now - since > lifetime) ? skipped.filter(({ since }) => now - since <= lifetime) : skipped

export const secretTreeOf = (encryptionSecret: Bytes, leafCount: number): SecretTree => {
  const nodes: (Bytes | undefined)[] = blanks(nodeWidth(leafCount))
  nodes[rootOf(leafCount)] = encryptionSecret
  return { leafCount, nodes, ratchets: blanks(leafCount) }
}

const LEFT = text('left')
const RIGHT = text('right')

/** The ratchets of a leaf, deriving the path down to it when nothing came from there before. */
const begin = (by: CipherSuite, tree: SecretTree, leaf: number): { tree: SecretTree; ratchets: LeafRatchets } => {
  const known = tree.ratchets[leaf]
  if (known) return { tree, ratchets: known }
  const nodes = tree.nodes.slice()
  const target = leafToNode(leaf)
  let node = startOf(tree, target)
  while (!isLeafNode(node)) {
    const secret = take(nodes, node)
    const child = (context: Bytes): Bytes => expandWithLabel(by, secret, { label: 'tree', context, length: by.hash.length })
    nodes[leftOf(node)] = child(LEFT)
    nodes[rightOf(node)] = child(RIGHT)
    if (secret !== tree.nodes[node]) wipe(secret)
    node = isUnder(target, leftOf(node)) ? leftOf(node) : rightOf(node)
  }
  const secret = take(nodes, node)
  const start = (label: RatchetKind): Ratchet => ({ generation: 0, secret: deriveSecret(by, secret, label), skipped: [] })
  const ratchets = { handshake: start('handshake'), application: start('application') }
  if (secret !== tree.nodes[node]) wipe(secret)
  return { tree: withRatchets({ ...tree, nodes }, leaf, ratchets), ratchets }
}

/** The lowest ancestor whose secret is still there. */
const startOf = (tree: SecretTree, target: number): number => {
  let node = rootOf(tree.leafCount)
  while (!tree.nodes[node] && !isLeafNode(node)) node = isUnder(target, leftOf(node)) ? leftOf(node) : rightOf(node)
  return node
}

const take = (nodes: (Bytes | undefined)[], node: number): Bytes => {
  const secret = nodes[node]
  if (!secret) throw new MlsError('duplicate', 'the secrets of this sender are consumed')
  nodes[node] = undefined
  return secret
}

const withRatchets = (tree: SecretTree, leaf: number, ratchets: LeafRatchets): SecretTree => ({
  ...tree,
  ratchets: tree.ratchets.with(leaf, ratchets),
})

const step = (by: CipherSuite, ratchet: Ratchet): { message: MessageKey; next: Pick<Ratchet, 'generation' | 'secret'> } => {
  const { generation, secret } = ratchet
  const wanted = [
    { label: 'key', length: by.aead.keyLength },
    { label: 'nonce', length: by.aead.nonceLength },
    { label: 'secret', length: by.hash.length },
  ]
  const [key = NONE, nonce = NONE, nextSecret = NONE] = deriveTreeSecrets(by, secret, { generation, wanted })
  return { message: { generation, key, nonce }, next: { generation: generation + 1, secret: nextSecret } }
}

export interface RatchetUse {
  readonly leaf: number
  readonly kind: RatchetKind
}

export interface TakenKey {
  readonly tree: SecretTree
  readonly message: MessageKey
  /** Derived for this use; false for one that was kept since its message was skipped. */
  readonly fresh: boolean
}

const LAST_GENERATION = 0xffff_ffff

/** The next key for sending; the tree that comes back has it no more. */
export const nextKey = (by: CipherSuite, tree: SecretTree, { leaf, kind }: RatchetUse): TakenKey => {
  const begun = begin(by, tree, leaf)
  const ratchet = begun.ratchets[kind]
  if (ratchet.generation >= LAST_GENERATION) throw new MlsError('usage', 'this epoch has no generations left')
  const { message, next } = step(by, ratchet)
  const changed = { ...begun.ratchets, [kind]: { ...next, skipped: ratchet.skipped } }
  return { message, tree: withRatchets(begun.tree, leaf, changed), fresh: true }
}

/**
 * The key of one generation for receiving. Throws `duplicate` when it was consumed or dropped and `too_far` before deriving
 * anything when it lies beyond the limit.
 */
export const keyAt = (by: CipherSuite, tree: SecretTree, use: RatchetUse & { generation: number; limits: RatchetLimits }): TakenKey => {
  const { leaf, kind, generation, limits } = use
  const current = tree.ratchets[leaf]?.[kind].generation ?? 0
  if (generation > current + limits.forward) throw new MlsError('too_far', `generation ${generation} where ${current} is next`)
  const begun = begin(by, tree, leaf)
  const ratchet = begun.ratchets[kind]
  const put = (changed: Ratchet): SecretTree => withRatchets(begun.tree, leaf, { ...begun.ratchets, [kind]: changed })
  const { count, now } = limits.skipped
  const fresh = count === 0 ? [] : withinLifetime(ratchet.skipped, limits.skipped)
  if (generation < ratchet.generation) {
    const message = fresh.find((skipped) => skipped.generation === generation)
    if (!message) throw new MlsError('duplicate', `generation ${generation} is consumed`)
    return { message, fresh: false, tree: put({ ...ratchet, skipped: fresh.filter((skipped) => skipped !== message) }) }
  }
  const skipped = [...fresh]
  let taken = step(by, ratchet)
  while (taken.message.generation < generation) {
    const { message, next } = taken
    if (count > 0) skipped.push({ ...message, since: now })
    else wipe(message.key, message.nonce)
    taken = step(by, { ...next, skipped: [] })
    wipe(next.secret)
  }
  const kept = skipped.slice(Math.max(0, skipped.length - count))
  return { message: taken.message, fresh: true, tree: put({ ...taken.next, skipped: kept }) }
}
