/** Going politely: before a device is closed it does for the others what it can. */
import type { Archive } from './archive/archive.ts'
import type { Connection } from './connection/connection.ts'
import { reached } from './connection/reached.ts'
import type { DeviceCore } from './device-core.ts'
import type { Duties } from './duties.ts'
import type { Acknowledger } from './inbox/acknowledger.ts'
import { hasUndone } from './outbox/outbox.store.ts'

export interface Settling {
  readonly core: DeviceCore
  readonly connection: Connection
  readonly archive: Archive
  readonly duties: Duties
  readonly acknowledger: Acknowledger
}

/**
 * Waits until the device has sent what waits, told how far it is, and committed what is its turn. At most `within` milliseconds.
 * `waiting`: something is left, because of time, the network, or somebody else.
 */
export async function settle(device: Settling, within: number): Promise<'settled' | 'waiting'> {
  const { core, connection, archive, duties, acknowledger } = device
  const end = core.clock.now() + within
  await reached(connection.state, core.clock, within)
  archive.hurry()
  const rest = (): Promise<void> => duties.rest(connection.isOnline ? Math.max(0, end - core.clock.now()) : 0)
  await rest()
  acknowledger.hurry()
  await rest()
  return connection.isOnline && !(await hasUndone(core.store)) ? 'settled' : 'waiting'
}
