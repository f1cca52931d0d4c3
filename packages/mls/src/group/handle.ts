/**
 * The handles that callers hold. A handle is a frozen view; the state behind it is a private field that this module alone
 * can reach, so that no secret can be logged or serialized by accident.
 */
import type { Bytes, Group, LeafIdentity, PendingProposal } from '../port.ts'
import { MlsError } from '../errors.ts'
import type { Sender } from '../public/framing.ts'
import { memberOf, membersOf } from '../public/members.ts'
import { policyOf } from '../public/profile.ts'
import { expectActive } from './state.ts'
import type { GroupState } from './state.ts'

/** Copies what is asked for when it is asked for: every message makes a handle, and few callers look at more than one thing. */
class Handle implements Group {
  readonly #state: GroupState
  /** Copied at once: what the state has of it is wiped with the epoch's secrets, and handles are compared later too. */
  readonly epochAuthenticator: Bytes

  constructor(state: GroupState) {
    this.#state = state
    this.epochAuthenticator = state.secrets.authenticator.slice()
    Object.freeze(this)
  }

  /** The state behind a handle of this engine. */
  static stateOf(group: object): GroupState | undefined {
    return #state in group ? group.#state : undefined
  }

  get groupId() {
    return this.#state.context.groupId.slice()
  }

  get epoch() {
    return this.#state.context.epoch
  }

  get ownLeafIndex() {
    return this.#state.ownLeaf
  }

  get active() {
    return this.#state.ended === undefined
  }

  get members() {
    return membersOf(this.#state.tree)
  }

  get policy() {
    return policyOf(this.#state.context.extensions).slice()
  }

  get pendingProposals() {
    return Object.freeze([...this.#state.proposals.values()].flatMap((sent) => pendingOf(this.#state, sent)))
  }
}

/** Makes the handle of a state. */
export const groupOf = (state: GroupState): Group => new Handle(state)

const pendingOf = (
  state: GroupState,
  { proposal, sender, ref }: { proposal: { kind: string; removed?: number }; sender: Sender; ref: Uint8Array },
): PendingProposal[] => {
  const leaf = sender.kind === 'member' ? state.tree.leaf(sender.leafIndex) : undefined
  if (!leaf || sender.kind !== 'member') return []
  const by = memberOf(sender.leafIndex, leaf)
  return [proposal.removed === undefined ? { ref: ref.slice(), by } : { ref: ref.slice(), by, removes: proposal.removed }]
}

/** The state behind a handle; `usage` when the handle is of another engine. */
export const stateOf = (group: Group): GroupState => {
  const state = Handle.stateOf(group)
  if (!state) throw new MlsError('usage', 'not a group of this engine')
  return state
}

/** As `stateOf`, and `usage` once the group has ended for this device. */
export const activeStateOf = (group: Group): GroupState => {
  const state = stateOf(group)
  expectActive(state)
  return state
}

/** A private copy of what a caller may still change. */
export const ownCopy = ({ credential, signature }: LeafIdentity): LeafIdentity => ({
  credential: credential.slice(),
  signature: { publicKey: signature.publicKey.slice(), secretKey: signature.secretKey.slice() },
})
