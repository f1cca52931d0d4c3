/**
 * A server that was restored from a backup has lost the newest lists of the account's devices. A device that keeps them offers
 * them again, one after the other and byte for byte, each with the server's own proof that it had it; so everybody who knows them
 * already goes on as before. Where another own device changed the older list meanwhile, newer versions are signed above both.
 */
import { equalBytes, readDeviceList, Refusal, routes } from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import { newestOwnVersion, ownList } from '../devices/own-lists.store.ts'
import type { Reader } from '../local-store/driver.ts'
import { owned } from '../sealing.ts'
import type { Clock } from '../surroundings.ts'
import { withAccountKey, type VaultAccess } from '../vault/own-vault.ts'
import { isInTime, nextDeviceList } from './new-device.ts'

/** More than any account has versions to offer. */
const ROUNDS = 64

interface Offering {
  readonly session: Pick<Session, 'call'>
  readonly store: Reader
}

type Current = NonNullable<Awaited<ReturnType<typeof readDeviceList>>> & { readonly bytes: Uint8Array }

/** Returns whether the server has lists again that it had lost. Rejects as the server does. */
export async function offerListsAgain({ session, store }: Offering): Promise<boolean> {
  let offered = false
  for (let round = 0; round < ROUNDS; round++) {
    const current = await currentList(session)
    const next = current && (await ownList(store, current.version + 1))
    const signed = next && (await readDeviceList(next.list))
    if (!next || !signed || !equalBytes(signed.previous, current.hash)) break
    try {
      await session.call(routes.devices.offerListAgain, { body: { deviceList: owned(next.list), proof: owned(next.proof) } })
      offered = true
    } catch (error) {
      if (!(error instanceof Refusal) || error.failure !== 'version_conflict') throw error
    }
  }
  return offered
}

/**
 * Signs versions above the newest known one when the server's list is another one than ours was at its place: as they are now, so that
 * nobody who knows ours is left with it. Returns whether that was so. Rejects as the vault and the server do.
 */
export async function signAbove(access: VaultAccess & Offering & { readonly clock: Pick<Clock, 'now'> }): Promise<boolean> {
  const { session, store, self, clock } = access
  const newest = await newestOwnVersion(store)
  let signed = false
  for (let round = 0; round < ROUNDS; round++) {
    const current = await currentList(session)
    if (!current || current.version > newest) break
    const ours = await ownList(store, current.version)
    if (!signed && (!ours || equalBytes(ours.hash, current.hash))) break
    const keep = (one: { readonly notAfter: number }) => isInTime(one, clock.now())
    const deviceList = await withAccountKey(access, (key) =>
      nextDeviceList({ account: self.account, key }, { current: current.bytes, keep }),
    )
    try {
      await session.call(routes.devices.replaceList, { body: { deviceList } })
      signed = true
    } catch (error) {
      if (!(error instanceof Refusal) || error.failure !== 'version_conflict') throw error
    }
  }
  return signed
}

async function currentList(session: Offering['session']): Promise<Current | undefined> {
  const { deviceList } = await session.call(routes.accounts.me, {})
  const list = await readDeviceList(deviceList)
  return list && { ...list, bytes: deviceList }
}
