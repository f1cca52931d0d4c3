/**
 * The handles that callers hold. A handle is a frozen view; the state behind it is reachable through this module's weak map
 * alone, so that no secret can be logged or serialized by accident.
 */
import type { Group, LeafIdentity, PendingProposal } from '../port.ts'
import { MlsError } from '../errors.ts'
import type { Sender } from '../public/framing.ts'
import { memberOf, membersOf } from '../public/members.ts'
import { policyOf } from '../public/profile.ts'
import { expectActive } from './state.ts'
import type { GroupState } from './state.ts'

const states = new WeakMap<Group, GroupState>()

/** Makes the handle of a state. */
export const groupOf = (state: GroupState): Group => {
  const group: Group = Object.freeze({
    groupId: state.context.groupId.slice(),
    epoch: state.context.epoch,
    ownLeafIndex: state.ownLeaf,
    active: state.ended === undefined,
    // Not before somebody asks: in a large group it takes longer than a message.
    get members() {
      return membersOf(state.tree)
    },
    policy: policyOf(state.context.extensions).slice(),
    epochAuthenticator: state.secrets.authenticator.slice(),
    pendingProposals: Object.freeze([...state.proposals.values()].flatMap((sent) => pendingOf(state, sent))),
  })
  states.set(group, state)
  return group
}

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
  const state = states.get(group)
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
