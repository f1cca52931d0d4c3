/**
 * What is stored of a group: one snapshot per epoch, and between snapshots small deltas, each the whole of what it replaces
 * (one sender's ratchets, one waiting proposal), so that only the newest of a slot counts and their order does not matter.
 * The signature key is not stored; `restore` gets it from the caller.
 */
import type { Bytes, LeafIdentity, Persist } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { suiteOf } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { choice, decode, encode, opaque, optional, struct, uint32, uint64, uint8, vector } from '../public/codec.ts'
import type { Codec } from '../public/codec.ts'
import { credentialCodec } from '../public/credential.ts'
import { senderCodec } from '../public/framing.ts'
import type { Sender } from '../public/framing.ts'
import { groupContextCodec, hashCodec } from '../public/group-info.ts'
import type { GroupContext } from '../public/group-info.ts'
import { keyCodec } from '../public/leaf-node.ts'
import { MAX_LEAVES, proposalCodec } from '../public/proposal.ts'
import type { Proposal } from '../public/proposal.ts'
import { RatchetTree } from '../public/tree.ts'
import type { EpochSecrets } from './key-schedule.ts'
import { LIMITS } from './profile.ts'
import { resumeRatchets } from './secret-tree.ts'
import type { LeafRatchets, MessageKey, Ratchet, SecretTree } from './secret-tree.ts'
import type { GroupState, PastEpoch, PastLeaf } from './state.ts'

const secretCodec = hashCodec

const ratchetCodec = struct<Ratchet>({
  generation: uint32,
  secret: secretCodec,
  skipped: vector(struct<MessageKey>({ generation: uint32, key: secretCodec, nonce: secretCodec }), 1024),
})
const leafRatchetsCodec = struct<LeafRatchets>({ handshake: ratchetCodec, application: ratchetCodec })

interface StoredTree {
  readonly leafCount: number
  readonly nodes: readonly { readonly node: number; readonly secret: Bytes }[]
  readonly ratchets: readonly { readonly leaf: number; readonly ratchets: LeafRatchets }[]
}

const storedTreeCodec = struct<StoredTree>({
  leafCount: uint32,
  nodes: vector(struct<StoredTree['nodes'][number]>({ node: uint32, secret: secretCodec }), 2 * MAX_LEAVES),
  ratchets: vector(struct<StoredTree['ratchets'][number]>({ leaf: uint32, ratchets: leafRatchetsCodec }), MAX_LEAVES),
})

const secretTreeCodec: Codec<SecretTree> = {
  read: (from) => {
    const { leafCount, nodes, ratchets } = storedTreeCodec.read(from)
    if (leafCount > MAX_LEAVES) throw new MlsError('malformed', 'secret tree is too large')
    const tree = { leafCount, nodes: sparse<Bytes>(2 * leafCount - 1), ratchets: sparse<LeafRatchets>(leafCount) }
    for (const { node, secret } of nodes) tree.nodes[node] = secret
    for (const each of ratchets) tree.ratchets[each.leaf] = each.ratchets
    return tree
  },
  write: (to, { leafCount, nodes, ratchets }) =>
    storedTreeCodec.write(to, {
      leafCount,
      nodes: nodes.flatMap((secret, node) => (secret ? [{ node, secret }] : [])),
      ratchets: ratchets.flatMap((each, leaf) => (each ? [{ leaf, ratchets: each }] : [])),
    }),
}

const sparse = <T>(length: number): (T | undefined)[] => Array.from<T | undefined>({ length: Math.max(0, length) })

interface StoredPast extends Omit<PastEpoch, 'leaves'> {
  readonly leafCount: number
  /** Leaves that differ from the current tree's. */
  readonly changed: readonly { readonly leafIndex: number; readonly leaf: PastLeaf | undefined }[]
}

const pastCodec = struct<StoredPast>({
  context: groupContextCodec,
  senderData: secretCodec,
  secretTree: secretTreeCodec,
  leafCount: uint32,
  changed: vector(
    struct<StoredPast['changed'][number]>({
      leafIndex: uint32,
      leaf: optional(struct<PastLeaf>({ signatureKey: keyCodec, credential: credentialCodec })),
    }),
    MAX_LEAVES,
  ),
})

interface StoredProposal {
  readonly proposal: Proposal
  readonly sender: Sender
  readonly ref: Bytes
}
const storedProposalCodec = struct<StoredProposal>({ proposal: proposalCodec, sender: senderCodec, ref: hashCodec })
const pairCodec = struct<KeyPair>({ publicKey: keyCodec, secretKey: keyCodec })

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
  readonly secretTree: SecretTree
  readonly proposals: readonly StoredProposal[]
  readonly ownUpdates: readonly KeyPair[]
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
  secretTree: secretTreeCodec,
  proposals: vector(storedProposalCodec, 4096),
  ownUpdates: vector(pairCodec, 256),
  past: optional(pastCodec),
  ended: optional(choice(uint8, { removed: 1, reinitialised: 2 }, 'end')),
  reinit: optional(proposalCodec),
})

const FORMAT = 1

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
export const snapshotOf = (state: GroupState): Persist & { readonly kind: 'snapshot' } => {
  const { context, tree, past } = state
  const stored: Stored = {
    ...state,
    keys: [...state.keys].map(([node, { secretKey }]) => ({ node, secretKey })),
    proposals: [...state.proposals.values()],
    ownUpdates: [...state.ownUpdates.values()],
    past: past && { ...past, leafCount: past.leaves.length, changed: changedLeaves(past, tree) },
  }
  return { kind: 'snapshot', bytes: encode(wholeCodec, { context, tree, stored }) }
}

const changedLeaves = (past: PastEpoch, tree: RatchetTree): StoredPast['changed'] =>
  past.leaves.flatMap((leaf, leafIndex) => {
    const now = tree.leaf(leafIndex)
    if (leaf === now || (leaf && now && samePerson(leaf, now))) return []
    return [{ leafIndex, leaf: leaf && { signatureKey: leaf.signatureKey, credential: leaf.credential } }]
  })

const samePerson = (a: PastLeaf, b: PastLeaf): boolean =>
  equal(a.signatureKey, b.signatureKey) && equal(encode(credentialCodec, a.credential), encode(credentialCodec, b.credential))

interface Delta {
  readonly epoch: bigint
  readonly ratchets: { readonly leaf: number; readonly ratchets: LeafRatchets } | undefined
  readonly proposal: StoredProposal | undefined
}

const deltaCodec = struct<Delta>({
  epoch: uint64,
  ratchets: optional(struct({ leaf: uint32, ratchets: leafRatchetsCodec })),
  proposal: optional(storedProposalCodec),
})

/** One sender's ratchets after a message. */
export const ratchetDelta = (epoch: bigint, tree: SecretTree, leaf: number): Persist => {
  const ratchets = tree.ratchets[leaf]
  const bytes = encode(deltaCodec, { epoch, ratchets: ratchets && { leaf, ratchets }, proposal: undefined })
  return { kind: 'delta', slot: `ratchets:${epoch}:${leaf}`, bytes }
}

/** A proposal that waits. */
export const proposalDelta = (epoch: bigint, proposal: StoredProposal): Persist => ({
  kind: 'delta',
  slot: `proposal:${hex(proposal.ref)}`,
  bytes: encode(deltaCodec, { epoch, ratchets: undefined, proposal }),
})

/** Puts a state together again. `usage` when the parts do not belong together, `malformed` when they are damaged. */
export const restoreState = (stored: {
  snapshot: Bytes
  deltas: readonly { readonly bytes: Bytes }[]
  identity: LeafIdentity
}): GroupState => {
  const whole = decode(wholeCodec, stored.snapshot, LIMITS.snapshot)
  const own = whole.tree.leaf(whole.stored.ownLeaf)
  if (whole.stored.ended !== 'removed' && (!own || !equal(own.signatureKey, stored.identity.signature.publicKey))) {
    throw new MlsError('usage', 'snapshot of another identity')
  }
  const state = stateFrom(whole, stored.identity)
  return stored.deltas.reduce((at, { bytes }) => withDelta(at, decode(deltaCodec, bytes)), state)
}

const stateFrom = ({ context, tree, stored }: Whole, identity: LeafIdentity): GroupState => {
  const keys = stored.keys.map(({ node, secretKey }) => {
    const publicKey = tree.publicKeyOf(node)
    if (!publicKey) throw new MlsError('malformed', 'private key of a blank node')
    return [node, { publicKey, secretKey }] as const
  })
  const { reinit, past } = stored
  return {
    ...stored,
    suite: suiteOf(context.suite),
    context,
    tree,
    identity,
    keys: new Map(keys),
    proposals: new Map(stored.proposals.map((sent) => [hex(sent.ref), sent])),
    ownUpdates: new Map(stored.ownUpdates.map((pair) => [hex(pair.publicKey), pair])),
    past: past && pastFrom(past, tree),
    reinit: reinit?.kind === 'reinit' ? reinit : undefined,
  }
}

const pastFrom = ({ leafCount, changed, ...past }: StoredPast, tree: RatchetTree): PastEpoch => {
  if (leafCount > MAX_LEAVES) throw new MlsError('malformed', 'past epoch is too large')
  const leaves = Array.from<unknown, PastLeaf | undefined>({ length: leafCount }, (_, leafIndex) => tree.leaf(leafIndex))
  for (const { leafIndex, leaf } of changed) leaves[leafIndex] = leaf
  return { ...past, leaves }
}

/** Deltas of an epoch that is neither the snapshot's nor the one before it were left over by a newer snapshot. */
const withDelta = (state: GroupState, { epoch, ratchets, proposal }: Delta): GroupState => {
  const { context, past, suite } = state
  if (epoch > context.epoch) throw new MlsError('usage', 'the snapshot is older than its deltas')
  if (proposal)
    return epoch === context.epoch ? { ...state, proposals: new Map([...state.proposals, [hex(proposal.ref), proposal]]) } : state
  if (!ratchets || state.ended) return state
  const resume = (tree: SecretTree): SecretTree => {
    const { leaf } = ratchets
    if (leaf >= tree.leafCount) throw new MlsError('malformed', 'ratchets of a leaf out of range')
    const known = tree.ratchets[leaf]
    return resumeRatchets(suite, tree, leaf, known ? newer(known, ratchets.ratchets) : ratchets.ratchets)
  }
  if (epoch === context.epoch) return { ...state, secretTree: resume(state.secretTree) }
  return past && epoch === past.context.epoch ? { ...state, past: { ...past, secretTree: resume(past.secretTree) } } : state
}

/** A ratchet only turns forward. */
const newer = (a: LeafRatchets, b: LeafRatchets): LeafRatchets => ({
  handshake: further(a.handshake, b.handshake),
  application: further(a.application, b.application),
})
const further = (a: Ratchet, b: Ratchet): Ratchet => {
  if (a.generation !== b.generation) return a.generation > b.generation ? a : b
  return a.skipped.length < b.skipped.length ? a : b
}
