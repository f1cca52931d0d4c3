/**
 * What changes within an epoch, as rows: the secret tree's unexpanded nodes, the ratchets that were begun, the proposals that
 * wait. A row holds nothing of what was consumed, and whoever applies the changes of every call stores nothing consumed
 * anywhere (RFC 9420 section 9.2). Names tell what a row is; rows of one store may come in any order.
 */
import type { Bytes, Persist, Slot, SlotChange, Wipe } from '../port.ts'
import { hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { MlsError } from '../errors.ts'
import { decode, encode, opaque, struct, uint32, uint64, vector } from '../public/codec.ts'
import type { Codec } from '../public/codec.ts'
import { senderCodec } from '../public/framing.ts'
import type { Sender } from '../public/framing.ts'
import { hashCodec } from '../public/group-info.ts'
import { proposalCodec } from '../public/proposal.ts'
import type { Proposal } from '../public/proposal.ts'
import { blanks, isLeafNode, isUnder, leafToNode, leftOf, nodeWidth, rightOf, rootOf } from '../public/tree-math.ts'
import type { LeafRatchets, Ratchet, SecretTree, SkippedKey } from './secret-tree.ts'
import { ratchetSecrets } from './spent.ts'

/** A proposal that waits, with who made it. */
export interface WaitingProposal {
  readonly proposal: Proposal
  readonly sender: Sender
  readonly ref: Bytes
}

/** What all rows of a group say together. */
export interface SlotContents {
  readonly current: SecretTree
  readonly past: SecretTree | undefined
  readonly proposals: ReadonlyMap<string, WaitingProposal>
  readonly ownUpdates: ReadonlyMap<string, KeyPair>
}

/** An epoch whose secret tree is kept in rows. */
export interface TreeAt {
  readonly epoch: bigint
  readonly leafCount: number
}

const ratchetCodec = struct<Ratchet>({
  generation: uint32,
  secret: hashCodec,
  skipped: vector(struct<SkippedKey>({ generation: uint32, key: hashCodec, nonce: hashCodec, since: uint64 }), 1024),
})
const leafRatchetsCodec = struct<LeafRatchets>({ handshake: ratchetCodec, application: ratchetCodec })
const proposalRowCodec = struct<WaitingProposal>({ proposal: proposalCodec, sender: senderCodec, ref: hashCodec })
const secretKeyCodec = opaque(255)

// Short, so that fifteen of them and their rows stay below 1 KB.
const nodeSlot = (epoch: bigint, node: number): string => `${epoch}n${node}`
const ratchetsSlot = (epoch: bigint, leaf: number): string => `${epoch}r${leaf}`
const proposalSlot = (ref: string): string => `proposal:${ref}`
const updateSlot = (ref: string): string => `update:${ref}`

/** All rows of one secret tree. */
export const treeSlots = (epoch: bigint, { nodes, ratchets }: SecretTree): Slot[] => [
  ...nodes.flatMap((secret, node) => (secret ? [{ slot: nodeSlot(epoch, node), bytes: encode(hashCodec, secret) }] : [])),
  ...ratchets.flatMap((each, leaf) => (each ? [{ slot: ratchetsSlot(epoch, leaf), bytes: encode(leafRatchetsCodec, each) }] : [])),
]

/** Rows of proposals that wait, with the private keys of own updates among them. */
export const proposalSlots = (waiting: WaitingProposal, ownUpdates: ReadonlyMap<string, KeyPair>): Slot[] => {
  const ref = hex(waiting.ref)
  const { proposal } = waiting
  const pair = proposal.kind === 'update' ? ownUpdates.get(hex(proposal.leaf.encryptionKey)) : undefined
  const row = { slot: proposalSlot(ref), bytes: encode(proposalRowCodec, waiting) }
  return pair ? [row, { slot: updateSlot(ref), bytes: encode(secretKeyCodec, pair.secretKey) }] : [row]
}

/**
 * What a message of `leaf` changed: its ratchets, and on the first one the way down to it. `wipe` has the secrets that were
 * there before and are not any more.
 */
export const messageDelta = (
  epoch: bigint,
  { before, after }: { before: SecretTree; after: SecretTree },
  leaf: number,
): { readonly persist: Persist & { readonly kind: 'delta' }; readonly wipe: Wipe } => {
  const ratchets = after.ratchets[leaf]
  // The same list: this leaf's ratchets were begun by an earlier message.
  const near = after.nodes === before.nodes ? [] : nodesNear(after.leafCount, leaf)
  const changed = near.filter((node) => after.nodes[node] !== before.nodes[node])
  const rows = changed.map((node): SlotChange => {
    const secret = after.nodes[node]
    return { slot: nodeSlot(epoch, node), bytes: secret && encode(hashCodec, secret) }
  })
  const kept = new Set(ratchetSecrets(ratchets))
  return {
    persist: {
      kind: 'delta',
      slots: [...rows, { slot: ratchetsSlot(epoch, leaf), bytes: ratchets && encode(leafRatchetsCodec, ratchets) }],
    },
    wipe: [
      ...changed.flatMap((node) => before.nodes[node] ?? []),
      ...ratchetSecrets(before.ratchets[leaf]).filter((secret) => !kept.has(secret)),
    ],
  }
}

/** Whose ratchets differ between two trees that have derived the same. */
export const treeDelta = (epoch: bigint, { before, after }: { before: SecretTree; after: SecretTree }): SlotChange[] =>
  after.ratchets.flatMap((each, leaf) =>
    each === before.ratchets[leaf] ? [] : [{ slot: ratchetsSlot(epoch, leaf), bytes: each && encode(leafRatchetsCodec, each) }],
  )

/** The nodes from the root to a leaf, each with its sibling: the only ones that the leaf's first message touches. */
const nodesNear = (leafCount: number, leaf: number): number[] => {
  const target = leafToNode(leaf)
  const near = [rootOf(leafCount)]
  for (let node = rootOf(leafCount); !isLeafNode(node); node = isUnder(target, leftOf(node)) ? leftOf(node) : rightOf(node))
    near.push(leftOf(node), rightOf(node))
  return near
}

/** A proposal that begins to wait. */
export const proposalDelta = (waiting: WaitingProposal, ownUpdates: ReadonlyMap<string, KeyPair> = new Map()): Persist => ({
  kind: 'delta',
  slots: proposalSlots(waiting, ownUpdates),
})

const TREE_SLOT = /^(\d{1,20})([nr])(\d{1,9})$/
const REF_SLOT = /^(proposal|update):([0-9a-f]+)$/

/**
 * Reads all rows of a store. Throws `malformed` for a damaged or doubled row, `usage` for one of another epoch: a snapshot
 * replaces all rows, so that rows of an epoch which the snapshot does not know mean that the two do not belong together.
 */
export const readSlots = (slots: readonly Slot[], at: { current: TreeAt; past: TreeAt | undefined }): SlotContents => {
  const rows = new Map(slots.map(({ slot, bytes }) => [slot, bytes]))
  if (rows.size < slots.length) throw new MlsError('malformed', 'one row twice')
  const current = emptyTree(at.current.leafCount)
  const past = at.past && emptyTree(at.past.leafCount)
  const proposals = new Map<string, WaitingProposal>()
  const ownUpdates = new Map<string, KeyPair>()
  for (const [slot, bytes] of rows) {
    const [, epoch, kind, index] = TREE_SLOT.exec(slot) ?? []
    if (epoch === undefined || index === undefined) readProposalRow({ slot, bytes, rows }, { proposals, ownUpdates })
    else if (epoch === String(at.current.epoch)) readTreeRow(current, { kind, index: Number(index), bytes })
    else if (past && epoch === String(at.past?.epoch)) readTreeRow(past, { kind, index: Number(index), bytes })
    else throw new MlsError('usage', `row of epoch ${epoch} beside a snapshot of epoch ${at.current.epoch}`)
  }
  return { current, past, proposals, ownUpdates }
}

interface GrowingTree extends SecretTree {
  readonly nodes: (Bytes | undefined)[]
  readonly ratchets: (LeafRatchets | undefined)[]
}

const emptyTree = (leafCount: number): GrowingTree => ({
  leafCount,
  nodes: blanks(nodeWidth(leafCount)),
  ratchets: blanks(leafCount),
})

const readTreeRow = (tree: GrowingTree, row: { kind: string | undefined; index: number; bytes: Bytes }): void => {
  const { kind, index, bytes } = row
  if (index >= (kind === 'n' ? tree.nodes.length : tree.ratchets.length)) throw new MlsError('malformed', `row ${index} is out of range`)
  if (kind === 'n') tree.nodes[index] = decodeRow(hashCodec, bytes)
  else tree.ratchets[index] = decodeRow(leafRatchetsCodec, bytes)
}

const readProposalRow = (
  { slot, bytes, rows }: { slot: string; bytes: Bytes; rows: ReadonlyMap<string, Bytes> },
  into: { proposals: Map<string, WaitingProposal>; ownUpdates: Map<string, KeyPair> },
): void => {
  const [, kind, ref] = REF_SLOT.exec(slot) ?? []
  if (kind === undefined || ref === undefined) throw new MlsError('malformed', 'row of no known kind')
  if (kind === 'update') {
    if (!rows.has(proposalSlot(ref))) throw new MlsError('malformed', 'key of no waiting update')
    return
  }
  const waiting = decodeRow(proposalRowCodec, bytes)
  if (hex(waiting.ref) !== ref) throw new MlsError('malformed', 'proposal in the row of another')
  into.proposals.set(ref, waiting)
  const secretKey = rows.get(updateSlot(ref))
  if (!secretKey) return
  if (waiting.proposal.kind !== 'update') throw new MlsError('malformed', 'key of no waiting update')
  const publicKey = waiting.proposal.leaf.encryptionKey
  into.ownUpdates.set(hex(publicKey), { publicKey, secretKey: decodeRow(secretKeyCodec, secretKey) })
}

const MAX_ROW = 1024 * 1024
const decodeRow = <T>(codec: Codec<T>, bytes: Bytes): T => decode(codec, bytes, MAX_ROW)
