/** Keys of skipped messages do not wait for ever: they leave rows and memory when their time is over (RFC 9420 section 9.2). */
import type { SlotChange, Wipe } from '../port.ts'
import { treeDelta } from './slots.ts'
import { withinLifetime } from './secret-tree.ts'
import type { LeafRatchets, Ratchet, Retention, SecretTree } from './secret-tree.ts'
import { spentBetween } from './spent.ts'
import type { GroupState } from './state.ts'

/** A state without the keys that were kept for too long; the very same one when there are none. */
export const withoutOld = (state: GroupState, retention: Retention): GroupState => {
  const secretTree = pruned(state.secretTree, retention)
  const late = state.past && pruned(state.past.secretTree, retention)
  if (secretTree === state.secretTree && late === state.past?.secretTree) return state
  return { ...state, secretTree, past: state.past && late && { ...state.past, secretTree: late } }
}

/** As `withoutOld`, with the rows that change. */
export const forgetSkipped = (state: GroupState, retention: Retention): { state: GroupState; slots: readonly SlotChange[]; wipe: Wipe } => {
  const next = withoutOld(state, retention)
  const slots = [
    ...treeDelta(state.context.epoch, { before: state.secretTree, after: next.secretTree }),
    ...(state.past && next.past ? treeDelta(state.past.context.epoch, { before: state.past.secretTree, after: next.past.secretTree }) : []),
  ]
  return { state: next, slots, wipe: next === state ? [] : spentBetween(state, next) }
}

const pruned = (tree: SecretTree, retention: Retention): SecretTree => {
  const ratchets = tree.ratchets.map((each) => each && prunedLeaf(each, retention))
  return ratchets.every((each, leaf) => each === tree.ratchets[leaf]) ? tree : { ...tree, ratchets }
}

const prunedLeaf = (ratchets: LeafRatchets, retention: Retention): LeafRatchets => {
  const [handshake, application] = [prunedRatchet(ratchets.handshake, retention), prunedRatchet(ratchets.application, retention)]
  const same = handshake === ratchets.handshake && application === ratchets.application
  return same ? ratchets : { handshake, application }
}

const prunedRatchet = (ratchet: Ratchet, retention: Retention): Ratchet => {
  const skipped = withinLifetime(ratchet.skipped, retention)
  return skipped === ratchet.skipped ? ratchet : { ...ratchet, skipped }
}
