/** The facts of a conversation that the rules of rotation.ts judge. */
import type { DeviceCore } from '../device-core.ts'
import type { Hold } from './held.ts'
import { isAccepted } from '../requests/admission.ts'
import { isOutdated } from './own-leaf.ts'
import { dueUpdate, type Moment } from './rotation.ts'

/** Whether fresh keys of this device are due in the conversation now. Of its own accord it brings none where its person has not answered yet. */
export async function owesUpdate(core: DeviceCore, { state, group }: Hold, moment: Moment): Promise<boolean> {
  if (!group || state?.standing !== 'active') return false
  if (moment === 'turn' && !(await isAccepted(core.store, state.conversation))) return false
  const returned = await core.attendance.returned()
  const outdated = isOutdated(group, core.identity)
  const facts = { rotation: state.rotation, leaves: group.members.length, outdated, now: core.clock.now(), returned, moment }
  return dueUpdate(facts).kind === 'update'
}
