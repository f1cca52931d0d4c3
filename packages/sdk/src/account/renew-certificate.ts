/**
 * A signed-in device renews its own certificate long before it ends: the account key from the vault signs the same device and
 * key for another year, and the next list that names it. Its leaf in each conversation follows by a commit (own-leaf.ts).
 */
import { readDeviceCertificate, routes } from '@tacit/contract'
import type { StoreDriver } from '../local-store/driver.ts'
import type { Clock } from '../surroundings.ts'
import { renewedList } from './new-device.ts'
import { withAccountKey, type VaultAccess } from '../vault/own-vault.ts'
import { loadSelf, saveSelf, type Self } from './settings.ts'

/** Renewed when less than this is left, in milliseconds: a third of a year, for devices that are seldom online. */
const LEFT = 120 * 86_400_000

type Renewal = VaultAccess & { readonly self: Self; readonly store: StoreDriver; readonly clock: Pick<Clock, 'now'> }

/** The device with its new certificate, stored; undefined when it is not time yet. Rejects as the vault and the server do. */
export async function renewCertificate(access: Renewal): Promise<Self | undefined> {
  const { session, self, store, clock } = access
  const now = clock.now()
  const before = await readDeviceCertificate(self.certificate)
  if (before && before.notAfter * 1000 - now > LEFT) return undefined
  const { deviceList: current } = await session.call(routes.accounts.me, {})
  const own = { current, device: self.device, signatureKey: self.signature.publicKey, now }
  const { certificate, deviceList } = await withAccountKey(access, (key) => renewedList({ account: self.account, key }, own))
  await session.call(routes.devices.replaceList, { body: { deviceList } })
  return store.transaction(async (writer) => {
    const renewed = { ...((await loadSelf(writer)) ?? self), certificate }
    await saveSelf(writer, renewed)
    return renewed
  })
}
