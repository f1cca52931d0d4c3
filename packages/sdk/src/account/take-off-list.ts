/**
 * Devices leave the account: the next signed list does without them, which ends their sessions at once; the remaining devices
 * then take their leaves out of every conversation (conversations/own-leaf.ts).
 */
import { Refusal, routes, type DeviceCertificate, type DeviceId } from '@tacit/contract'
import type { Clock } from '../surroundings.ts'
import { isInTime, nextDeviceList } from './new-device.ts'
import { withAccountKey, type VaultAccess } from '../vault/own-vault.ts'

/** Somebody else may change the list at the same time; after so many rounds it is not for us. */
const ROUNDS = 5

/** Rejects with `proof_needed` for a device that is in use. A device that is on no list any more is no reason to fail. */
export async function takeOffList(access: VaultAccess & { readonly clock: Pick<Clock, 'now'> }, gone: readonly DeviceId[]): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      await replaceList(access, gone)
      break
    } catch (error) {
      if (round >= ROUNDS || !(error instanceof Refusal) || error.failure !== 'version_conflict') throw error
    }
  }
}

async function replaceList(access: Parameters<typeof takeOffList>[0], gone: readonly DeviceId[]): Promise<void> {
  const { session, self, clock } = access
  const { deviceList: current } = await session.call(routes.accounts.me, {})
  const keep = (one: DeviceCertificate) => !gone.includes(one.device) && isInTime(one, clock.now())
  const deviceList = await withAccountKey(access, (key) => nextDeviceList({ account: self.account, key }, { current, keep }))
  await session.call(routes.devices.replaceList, { body: { deviceList } })
}
