/**
 * What is stored of a group: a snapshot of what stays for the epoch, without anything that messages consume, and rows beside
 * it for the rest (`slots.ts`). The signature key is not stored; `restore` gets it from the caller.
 */
import type { Bytes, LeafIdentity, Slot, Snapshot } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { suiteOf } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { choice, decode, encode, opaque, optional, struct, uint32, uint8, vector } from '../public/codec.ts'
import type { Codec } from '../public/codec.ts'
import { credentialCodec } from '../public/credential.ts'
import { groupContextCodec, hashCodec } from '../public/group-info.ts'
import type { GroupContext } from '../public/group-info.ts'
import { keyCodec } from '../public/leaf-node.ts'
import { MAX_LEAVES, proposalCodec } from '../public/proposal.ts'
import type { Proposal } from '../public/proposal.ts'
import { RatchetTree } from '../public/tree.ts'
import type { EpochSecrets } from './key-schedule.ts'
import { LIMITS } from './profile.ts'
import { proposalSlots, readSlots, treeSlots } from './slots.ts'
import type { GroupState, PastEpoch, PastLeaf } from './state.ts'

const secretCodec = hashCodec

interface StoredPast extends Omit<PastEpoch, 'leaves' | 'secretTree'> {
  readonly leafCount: number
  /** Leaves that differ from the current tree's. */
  readonly changed: readonly { readonly leafIndex: number; readonly leaf: PastLeaf | undefined }[]
}

const pastCodec = struct<StoredPast>({
  context: groupContextCodec,
  senderData: secretCodec,
  leafCount: uint32,
  changed: vector(
    struct<StoredPast['changed'][number]>({
      leafIndex: uint32,
      leaf: optional(struct<PastLeaf>({ signatureKey: keyCodec, credential: credentialCodec })),
    }),
    MAX_LEAVES,
  ),
})

const secretsCodec = struct<EpochSecrets>({
  senderData: secretCodec,
  exporter: secretCodec,
  external: secretCodec,
  confirmation: secretCodec,
  membership: secretCodec,
  resumption: secretCodec,
  authenticator: secretCodec,
  init: secretCodec,
})

interface Stored {
  readonly interimTranscriptHash: Bytes
  readonly confirmationTag: Bytes
  readonly ownLeaf: number
  readonly keys: readonly { readonly node: number; readonly secretKey: Bytes }[]
  readonly secrets: EpochSecrets
  readonly past: StoredPast | undefined
  readonly ended: 'removed' | 'reinitialised' | undefined
  readonly reinit: Proposal | undefined
}

const storedCodec = struct<Stored>({
  interimTranscriptHash: hashCodec,
  confirmationTag: hashCodec,
  ownLeaf: uint32,
  keys: vector(struct<Stored['keys'][number]>({ node: uint32, secretKey: opaque(255) }), 64),
  secrets: secretsCodec,
  past: optional(pastCodec),
  ended: optional(choice(uint8, { removed: 1, reinitialised: 2 }, 'end')),
  reinit: optional(proposalCodec),
})

const FORMAT = 2

interface Whole {
  readonly context: GroupContext
  readonly tree: RatchetTree
  readonly stored: Stored
}

const wholeCodec: Codec<Whole> = {
  read: (from) => {
    if (uint8.read(from) !== FORMAT) throw new MlsError('unsupported', 'snapshot of another format')
    const context = groupContextCodec.read(from)
    const tree = RatchetTree.codec(suiteOf(context.suite).hash).read(from)
    return { context, tree, stored: storedCodec.read(from) }
  },
  write: (to, { context, tree, stored }) => {
    uint8.write(to, FORMAT)
    groupContextCodec.write(to, context)
    RatchetTree.codec(suiteOf(context.suite).hash).write(to, tree)
    storedCodec.write(to, stored)
  },
}

/** The whole state, without the signature key. */
export const snapshotOf = (state: GroupState): Snapshot => {
  const { context, tree, past, secretTree, proposals, ownUpdates } = state
  const stored: Stored = {
    ...state,
    keys: [...state.keys].map(([node, { secretKey }]) => ({ node, secretKey })),
    past: past && { ...past, leafCount: past.leaves.length, changed: changedLeaves(past, tree) },
  }
  return {
    kind: 'snapshot',
    bytes: encode(wholeCodec, { context, tree, stored }),
    slots: [
      ...treeSlots(context.epoch, secretTree),
      ...(past ? treeSlots(past.context.epoch, past.secretTree) : []),
      ...[...proposals.values()].flatMap((waiting) => proposalSlots(waiting, ownUpdates)),
    ],
  }
}

const changedLeaves = (past: PastEpoch, tree: RatchetTree): StoredPast['changed'] =>
  past.leaves.flatMap((leaf, leafIndex) => {
    const now = tree.leaf(leafIndex)
    if (leaf === now || (leaf && now && samePerson(leaf, now))) return []
    return [{ leafIndex, leaf: leaf && { signatureKey: leaf.signatureKey, credential: leaf.credential } }]
  })

const samePerson = (a: PastLeaf, b: PastLeaf): boolean =>
  equal(a.signatureKey, b.signatureKey) && equal(encode(credentialCodec, a.credential), encode(credentialCodec, b.credential))

/** Puts a state together again. `usage` when the parts do not belong together, `malformed` when they are damaged. */
export const restoreState = (request: { snapshot: Bytes; slots: readonly Slot[]; identity: LeafIdentity }): GroupState => {
  const { context, tree, stored } = decode(wholeCodec, request.snapshot, LIMITS.snapshot)
  const own = tree.leaf(stored.ownLeaf)
  if (stored.ended !== 'removed' && (!own || !equal(own.signatureKey, request.identity.signature.publicKey))) {
    throw new MlsError('usage', 'snapshot of another identity')
  }
  const { reinit, past } = stored
  if (past && past.leafCount > MAX_LEAVES) throw new MlsError('malformed', 'past epoch is too large')
  const rows = readSlots(request.slots, {
    current: { epoch: context.epoch, leafCount: tree.leafCount },
    past: past && { epoch: past.context.epoch, leafCount: past.leafCount },
  })
  return {
    ...stored,
    suite: suiteOf(context.suite),
    context,
    tree,
    identity: request.identity,
    keys: new Map(stored.keys.map(({ node, secretKey }) => [node, { publicKey: publicKeyAt(tree, node), secretKey }])),
    secretTree: rows.current,
    proposals: rows.proposals,
    ownUpdates: rows.ownUpdates,
    past: past && rows.past && { context: past.context, senderData: past.senderData, secretTree: rows.past, leaves: leavesOf(past, tree) },
    reinit: reinit?.kind === 'reinit' ? reinit : undefined,
  }
}

const publicKeyAt = (tree: RatchetTree, node: number): Bytes => {
  const publicKey = tree.publicKeyOf(node)
  if (!publicKey) throw new MlsError('malformed', 'private key of a blank node')
  return publicKey
}

const leavesOf = ({ leafCount, changed }: StoredPast, tree: RatchetTree): PastEpoch['leaves'] => {
  const leaves = Array.from<unknown, PastLeaf | undefined>({ length: leafCount }, (_, leafIndex) => tree.leaf(leafIndex))
  for (const { leafIndex, leaf } of changed) leaves[leafIndex] = leaf
  return leaves
}
