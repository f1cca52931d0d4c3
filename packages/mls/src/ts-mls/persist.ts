/**
 * What is stored of a group: one snapshot per epoch, and a row for each ratchet that turned and each proposal that waits since.
 * The snapshot of this library holds all secrets of its epoch, so here rows add to it and never erase from it.
 * Signature keys are not stored here; `restore` gets them from the caller.
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import { bytesToBase64, decodeGroupState, encodeGroupState } from 'ts-mls'
import type { ClientState, SecretTree, UnappliedProposals } from 'ts-mls'
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js'
import { base64ToBytes } from 'ts-mls/util/byteArray.js'
import { MlsError } from '../errors.ts'
import type { Bytes, LeafIdentity, Persist, Slot, Snapshot } from '../port.ts'
import {
  bytes as opaqueBytes,
  choice,
  decode,
  encode,
  opaque,
  select,
  struct,
  uint16,
  uint32,
  uint64,
  uint8,
  vector,
} from '../public/codec.ts'
import type { Codec } from '../public/codec.ts'
import { configFor, expelled } from './group.ts'
import { LIMITS } from './suite.ts'
import type { Suite } from './suite.ts'
import { leafAt } from './tree.ts'
import { decodeStrict, sameBytes } from './wire.ts'

type Delta =
  | { readonly kind: 'ratchet'; readonly epoch: bigint; readonly leafIndex: number; readonly generation: number; readonly secret: Bytes }
  | ({ readonly kind: 'proposal'; readonly epoch: bigint } & WaitingRemoval)

/** The one kind of proposal that waits. `ts-mls` would store it without its sender when that is leaf 0. */
interface WaitingRemoval {
  readonly ref: Bytes
  readonly by: number
  readonly removed: number
}

const FORMAT = 1
const removalFields = { ref: opaque(64), by: uint32, removed: uint32 }
const snapshotCodec = struct({ format: uint8, suite: uint16, state: opaqueBytes, waiting: vector(struct(removalFields)) })
const deltaCodec: Codec<Delta> = select<Delta>(choice(uint8, { ratchet: 1, proposal: 2 }, 'delta'), {
  ratchet: struct({ epoch: uint64, leafIndex: uint32, generation: uint32, secret: opaque(64) }),
  proposal: struct({ epoch: uint64, ...removalFields }),
})

/** The whole state of one epoch, without the signature key. */
export const snapshotOf = (suite: Suite, state: ClientState): Snapshot => {
  const encoded = encodeGroupState({ ...state, signaturePrivateKey: new Uint8Array(), unappliedProposals: {} })
  const waiting = Object.keys(state.unappliedProposals).map((ref) => waitingRemoval(state, ref))
  return { kind: 'snapshot', bytes: encode(snapshotCodec, { format: FORMAT, suite: suite.id, state: encoded, waiting }), slots: [] }
}

/** One sender's ratchet after a message of `epoch`. About 80 bytes. */
export const ratchetDelta = (place: { readonly epoch: bigint; readonly leafIndex: number }, secrets: SecretTree): Persist => {
  const node = secrets[leafToNodeIndex(toLeafIndex(place.leafIndex))]
  if (node === undefined) throw new MlsError('usage', 'no such ratchet')
  const { generation, secret } = node.application
  return delta({ kind: 'ratchet', ...place, generation, secret })
}

/** One waiting proposal, named by the base64 of its reference. */
export const proposalDelta = (state: ClientState, ref: string): Persist =>
  delta({ kind: 'proposal', epoch: state.groupContext.epoch, ...waitingRemoval(state, ref) })

const waitingRemoval = (state: ClientState, ref: string): WaitingRemoval => {
  const known = state.unappliedProposals[ref]
  if (known?.proposal.proposalType !== 'remove' || known.senderLeafIndex === undefined) throw new MlsError('usage', 'no such proposal')
  return { ref: base64ToBytes(ref), by: known.senderLeafIndex, removed: known.proposal.remove.removed }
}

const asProposals = (waiting: readonly WaitingRemoval[]): UnappliedProposals =>
  Object.fromEntries(
    waiting.map(({ ref, by, removed }) => [
      bytesToBase64(ref),
      { proposal: { proposalType: 'remove', remove: { removed } }, senderLeafIndex: by },
    ]),
  )

const delta = (content: Delta): Persist => ({
  kind: 'delta',
  slots: [{ slot: slotOf(content), bytes: encode(deltaCodec, content) }],
})

const slotOf = (content: Delta): string =>
  content.kind === 'ratchet' ? `ratchet:${content.epoch}:${content.leafIndex}` : `proposal:${bytesToHex(content.ref)}`

/** Puts a state together again. Fails with `malformed` or `invalid` when the parts are not of one group and epoch. */
export const restoreState = (
  suite: Suite,
  stored: {
    readonly snapshot: Bytes
    readonly slots: readonly Slot[]
    readonly identity: LeafIdentity
  },
): ClientState => {
  const { format, suite: id, state: encoded, waiting } = decode(snapshotCodec, stored.snapshot, LIMITS.snapshot)
  if (format !== FORMAT || id !== suite.id) throw new MlsError('unsupported', 'snapshot of another format or suite')
  const decoded = decodeStrict(encoded, { decode: decodeGroupState, encode: encodeGroupState, limit: LIMITS.snapshot, what: 'group state' })
  const state: ClientState = {
    ...decoded,
    unappliedProposals: asProposals(waiting),
    signaturePrivateKey: new Uint8Array(stored.identity.signature.secretKey),
    clientConfig: configFor(),
  }
  if (state.groupActiveState.kind !== 'active') return expelled(state, state.ratchetTree)
  const own = leafAt(state.ratchetTree, state.privatePath.leafIndex)
  if (own === undefined || !sameBytes(own.signaturePublicKey, stored.identity.signature.publicKey))
    throw new MlsError('usage', 'identity of another leaf')
  return stored.slots.reduce((restored, { slot, bytes }) => applyDelta(restored, slot, bytes), state)
}

const applyDelta = (state: ClientState, slot: string, bytes: Bytes): ClientState => {
  const content = decode(deltaCodec, new Uint8Array(bytes))
  if (slotOf(content) !== slot) throw new MlsError('invalid', 'delta in a foreign slot')
  if (content.kind === 'ratchet') return withRatchet(state, content)
  if (content.epoch !== state.groupContext.epoch) throw new MlsError('invalid', 'delta of another epoch')
  return { ...state, unappliedProposals: { ...state.unappliedProposals, ...asProposals([content]) } }
}

const withRatchet = (state: ClientState, turned: Delta & { readonly kind: 'ratchet' }): ClientState => {
  if (turned.epoch === state.groupContext.epoch) return { ...state, secretTree: turn(state.secretTree, turned) }
  const past = state.historicalReceiverData.get(turned.epoch)
  if (past === undefined) throw new MlsError('invalid', 'delta of another epoch')
  const historicalReceiverData = new Map(state.historicalReceiverData).set(turned.epoch, {
    ...past,
    secretTree: turn(past.secretTree, turned),
  })
  return { ...state, historicalReceiverData }
}

/** Ratchets turn forward only: a delta older than the snapshot changes nothing. */
const turn = (secrets: SecretTree, { leafIndex, generation, secret }: Delta & { readonly kind: 'ratchet' }): SecretTree => {
  const index = leafToNodeIndex(toLeafIndex(leafIndex))
  const node = secrets[index]
  if (node === undefined) throw new MlsError('invalid', 'delta for no leaf')
  if (node.application.generation >= generation) return secrets
  return secrets.with(index, { ...node, application: { secret: new Uint8Array(secret), generation, unusedGenerations: {} } })
}
