/** The moment in which a commit of one's own takes effect: accepted by the server, in its place in the log (RFC 9420 section 14). */
import type { Group, Snapshot, Wipe } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { activeStateOf, groupOf, stateOf } from './handle.ts'
import { snapshotOf } from './persist.ts'
import { spentBetween } from './spent.ts'
import { pastOf } from './state.ts'

/**
 * The group after an own commit (RFC 9420 section 14), able to open late messages of the epoch that `current` is in as it is now: what was consumed
 * while the commit was on its way stays consumed.
 */
export const mergeCommit = (current: Group, next: Group): { readonly group: Group; readonly persist: Snapshot; readonly wipe: Wipe } => {
  const [before, after] = [activeStateOf(current), stateOf(next)]
  const follows = after.context.epoch === before.context.epoch + 1n && equal(after.context.groupId, before.context.groupId)
  if (!follows || after.ownLeaf !== before.ownLeaf) throw new MlsError('usage', 'that commit follows another group')
  const state = { ...after, past: pastOf(before) }
  return { group: groupOf(state), persist: snapshotOf(state), wipe: spentBetween(before, state) }
}
