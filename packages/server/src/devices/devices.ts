/**
 * The front door of devices: the signed list of each account, and what follows when it changes. A device that leaves the
 * list loses its sessions and key packages in the same transaction.
 */
import { Refusal, type AccountId, type DeviceId, type KeyPackageUpload, type SessionId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Keys } from '../keys/keys.ts'
import type { Log } from '../log.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import { assertContinues, assertFirst, assertSameDevices, readList, type CheckedList } from './check-list.ts'
import * as store from './devices.store.ts'

export interface SignedList {
  readonly version: number
  readonly accountKey: Uint8Array
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

export interface ListChange {
  readonly account: AccountId
  readonly version: number
  readonly removed: readonly DeviceId[]
}

export interface Enrolment {
  readonly account: AccountId
  readonly session: SessionId
  readonly device: DeviceId
  readonly deviceList: Uint8Array
  readonly keys: KeyPackageUpload
}

export interface Devices {
  /** Whether the device is on the account's current list. */
  isListed(account: AccountId, device: DeviceId): Promise<boolean>
  /** The account's current list; undefined for an unknown account. */
  deviceListOf(account: AccountId): Promise<SignedList | undefined>
  /** Calls `listener` after a list changed; returns the way to stop. */
  onListChanged(listener: (change: ListChange) => void): () => void
  /** Checks a new account's first list. Refuses `invalid_device_list`. */
  checkFirst(first: { account: AccountId; accountKey: Uint8Array; device: DeviceId; deviceList: Uint8Array }): Promise<CheckedList>
  /** Stores it in the sign-up's transaction. Refuses `already_exists`. */
  addFirst(tx: Transaction<Tables>, first: { list: CheckedList; keys: KeyPackageUpload }): Promise<void>
  enrol(enrolment: Enrolment): Promise<void>
  replaceList(next: { account: AccountId; deviceList: Uint8Array }): Promise<number>
}

export interface DevicesDeps {
  readonly database: Database
  readonly clock: Clock
  readonly sessions: Sessions
  readonly keys: Keys
  readonly log: Log
}

export function createDevices(deps: DevicesDeps): Devices {
  const { database, clock, sessions, keys, log } = deps
  const listeners = new Set<(change: ListChange) => void>()

  /** Stores `list` as the next one, after `inside` did what belongs to it, and tells everybody. */
  const advance = async (list: CheckedList, added: DeviceId | undefined, inside: (tx: Transaction<Tables>) => Promise<void>) => {
    const { ended, removed } = await database.write(async (tx) => {
      const current = await store.findList(tx, list.account)
      if (!current) throw new Refusal('not_found')
      assertContinues(list, { version: current.version, accountKey: current.account_key, hash: current.hash })
      const known = await store.listedDevices(tx, list.account)
      assertSameDevices(list, { known, added })
      const gone = known.map(({ id }) => id).filter((id) => !list.devices.some(({ device }) => device === id))
      await store.putList(tx, rowOf(list))
      const endedSessions = await leave(tx, gone)
      await inside(tx)
      return { ended: endedSessions, removed: gone }
    })
    sessions.announceEnded(ended)
    if (removed.length > 0) log('devices_removed', { count: removed.length })
    for (const listener of listeners) listener({ account: list.account, version: list.version, removed })
  }

  const leave = async (tx: Transaction<Tables>, devices: readonly DeviceId[]): Promise<SessionId[]> => {
    if (devices.length === 0) return []
    await store.markRemoved(tx, { devices, at: clock.now() })
    await keys.forget(tx, devices)
    return sessions.endOfDevices(tx, devices)
  }

  const addDevice = async (tx: Transaction<Tables>, { list, device }: { list: CheckedList; device: DeviceId }) => {
    const certificate = list.devices.find((one) => one.device === device)
    if (!certificate) throw new Refusal('invalid_device_list')
    const row = { id: device, account: list.account, signature_key: certificate.signatureKey, added_at: clock.now(), removed_at: null }
    await store.addDevice(tx, row)
  }

  return {
    async isListed(account, device) {
      const row = await store.findDevice(database.kysely, device)
      return row?.account === account && row.removed_at === null
    },
    async deviceListOf(account) {
      const row = await store.findList(database.kysely, account)
      return row && { version: row.version, accountKey: row.account_key, hash: row.hash, bytes: row.bytes }
    },
    onListChanged(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    async checkFirst({ account, accountKey, device, deviceList }) {
      const list = await readList({ bytes: deviceList, account, now: clock.now() })
      assertFirst(list, { accountKey, device })
      return list
    },
    async addFirst(tx, { list, keys: upload }) {
      await store.putList(tx, rowOf(list))
      for (const { device } of list.devices) {
        if (await store.findDevice(tx, device)) throw new Refusal('already_exists')
        await addDevice(tx, { list, device })
        await keys.add(tx, { account: list.account, device, upload })
      }
    },

    async enrol({ account, session, device, deviceList, keys: upload }) {
      const list = await readList({ bytes: deviceList, account, now: clock.now() })
      await advance(list, device, async (tx) => {
        const known = await store.findDevice(tx, device)
        if (known && (known.account !== account || known.removed_at !== null)) throw new Refusal('already_exists')
        if (!known) await addDevice(tx, { list, device })
        await keys.add(tx, { account, device, upload })
        await sessions.bindDevice(tx, { session, device })
      })
      log('device_enrolled')
    },

    async replaceList({ account, deviceList }) {
      const list = await readList({ bytes: deviceList, account, now: clock.now() })
      await advance(list, undefined, () => Promise.resolve())
      return list.version
    },
  }
}

const rowOf = (list: CheckedList): store.DeviceListRow => ({
  account: list.account,
  version: list.version,
  account_key: list.accountKey,
  hash: list.hash,
  bytes: list.bytes,
})
