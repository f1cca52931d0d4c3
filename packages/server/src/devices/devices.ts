/**
 * The front door of devices: the signed list of each account, and what follows when it changes. A device that leaves the
 * list loses its sessions and key packages in the same transaction.
 */
import {
  equalBytes,
  readDeviceList,
  Refusal,
  type AccountId,
  type DeviceCertificate,
  type DeviceId,
  type KeyPackageUpload,
  type SessionId,
} from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Clock } from '../clock.ts'
import type { CheckedPackages } from '../keys/check-packages.ts'
import type { Keys } from '../keys/keys.ts'
import type { Log } from '../log.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import type { Transparency } from '../transparency/transparency.ts'
import { assertContinues, assertFirst, assertFollows, assertOnly, assertSameDevices, readList, type CheckedList } from './check-list.ts'
import * as store from './devices.store.ts'

export interface SignedList {
  readonly version: number
  readonly accountKey: Uint8Array
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

export interface Enrolment {
  readonly account: AccountId
  readonly session: SessionId
  readonly device: DeviceId
  readonly deviceList: Uint8Array
  readonly keys: KeyPackageUpload
}

export interface Replacement {
  readonly account: AccountId
  readonly session: SessionId
  /** The device that asks; undefined for a session without one. */
  readonly device: DeviceId | undefined
  readonly deviceList: Uint8Array
}

/** A version that this server once had, with its own proof. */
export interface OfferedAgain {
  readonly account: AccountId
  readonly deviceList: Uint8Array
  readonly proof: Uint8Array
}

export interface FirstList {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly device: DeviceId
  readonly deviceList: Uint8Array
  readonly keys: KeyPackageUpload
}

/** A first list whose signatures hold, and key packages of its device. */
export interface CheckedFirst {
  readonly list: CheckedList
  readonly packages: CheckedPackages
}

export interface DevicesDeps {
  readonly bells: Bells
  readonly database: Database
  readonly clock: Clock
  readonly sessions: Sessions
  readonly keys: Keys
  readonly transparency: Pick<Transparency, 'append' | 'hadAndLost'>
  readonly events: Pick<SecurityEvents, 'note'>
  readonly log: Log
}

/** A device that used no session for so long may be taken off without a proof: the shortest time after which others do so. */
const IDLE = 14 * 86_400_000

export class Devices {
  readonly #deps: DevicesDeps

  constructor(deps: DevicesDeps) {
    this.#deps = deps
  }

  /** Whether the certificate's device is on the current list of the account whose key signed it, with the certificate's key. */
  async isListed({ account, accountKey, device, signatureKey }: DeviceCertificate): Promise<boolean> {
    const row = await store.findListed(this.#deps.database.kysely, { account, device })
    return row !== undefined && equalBytes(row.signature_key, signatureKey) && equalBytes(row.account_key, accountKey)
  }

  /** The certificate of a device on the account's current list, as the list has it. */
  async certificateOf({ account, device }: { account: AccountId; device: DeviceId }): Promise<DeviceCertificate | undefined> {
    const row = await store.findList(this.#deps.database.kysely, account)
    const list = row && (await readDeviceList(row.bytes))
    return list?.devices.find((one) => one.device === device)
  }

  /** The account's current list; undefined for an unknown account. */
  async deviceListOf(account: AccountId): Promise<SignedList | undefined> {
    const row = await store.findList(this.#deps.database.kysely, account)
    return row && { version: row.version, accountKey: row.account_key, hash: row.hash, bytes: row.bytes }
  }

  /** The number of a socket that the device opens now: higher than that of all before, at whichever server. */
  openLine(device: DeviceId): Promise<number> {
    return this.#deps.database.write((tx) => store.nextLine(tx, device))
  }

  /** The number of the newest socket of each device. */
  async newestLines(devices: readonly DeviceId[]): Promise<ReadonlyMap<DeviceId, number>> {
    const rows = devices.length === 0 ? [] : await store.newestLines(this.#deps.database.kysely, devices)
    return new Map(rows.map(({ id, line }) => [id, line]))
  }

  /** Checks a new account's first list and key packages. Refuses `invalid_device_list` and `invalid_key_package`. */
  async checkFirst({ deviceList, account, keys: upload, ...first }: FirstList): Promise<CheckedFirst> {
    const list = await readList({ bytes: deviceList, account, now: this.#deps.clock.now() })
    assertFirst(list, first)
    return { list, packages: await this.#deps.keys.check(upload, certificateIn(list, first.device)) }
  }

  /** Stores it in the sign-up's transaction. Refuses `already_exists`. */
  async addFirst(tx: Transaction<Tables>, { list, packages }: CheckedFirst): Promise<void> {
    await this.#put(tx, list)
    for (const { device } of list.devices) {
      if (await store.findDevice(tx, device)) throw new Refusal('already_exists')
      await this.#addDevice(tx, { list, device })
      await this.#deps.keys.add(tx, { account: list.account, device, packages })
    }
  }

  /**
   * Binds the session to a device that the next list names: a new one, or one of the account's own that lost its session.
   * Refuses `invalid_device_list`, `version_conflict`, `too_many`, `already_exists`, `invalid_key_package`.
   */
  async enrol({ account, session, device, deviceList, keys: upload }: Enrolment): Promise<void> {
    const { clock, keys, sessions, events, log } = this.#deps
    const list = await readList({ bytes: deviceList, account, now: clock.now() })
    const packages = await keys.check(upload, certificateIn(list, device))
    await this.#advance(list, device, async (tx) => {
      const known = await store.findDevice(tx, device)
      if (known && (known.account !== account || known.removed_at !== null)) throw new Refusal('already_exists')
      if (!known) {
        await this.#addDevice(tx, { list, device })
        await events.note(tx, { account, kind: 'device_added', device })
      }
      await keys.add(tx, { account, device, packages })
      await sessions.bindDevice(tx, { session, device })
    })
    log('device_enrolled')
  }

  /**
   * Begins anew under another account key: the list that follows names one device, and the devices of before are gone. `inside` is part of it.
   * Refuses `invalid_device_list`, `version_conflict`, `already_exists`, `invalid_key_package`.
   */
  async reset(
    { account, session, device, accountKey, deviceList, keys: upload }: FirstList & Pick<Enrolment, 'session'>,
    inside: (tx: Transaction<Tables>) => Promise<void>,
  ): Promise<void> {
    const { bells, clock, keys, sessions, log } = this.#deps
    const list = await readList({ bytes: deviceList, account, now: clock.now() })
    assertOnly(list, { accountKey, device })
    const packages = await keys.check(upload, certificateIn(list, device))
    await bells.write(async (tx, say) => {
      const current = await store.lockList(tx, account)
      if (!current) throw new Refusal('not_found')
      assertFollows(list, current)
      if (equalBytes(current.account_key, accountKey)) throw new Refusal('invalid_device_list')
      if (await store.findDevice(tx, device)) throw new Refusal('already_exists')
      const gone = (await store.listedDevices(tx, account)).map(({ id }) => id)
      await this.#put(tx, list)
      for (const ended of await this.#leave(tx, gone)) say({ kind: 'session_ended', session: ended })
      await this.#addDevice(tx, { list, device })
      await keys.add(tx, { account, device, packages })
      await sessions.bindDevice(tx, { session, device })
      await inside(tx)
      say({ kind: 'devices_changed', account, version: list.version })
    })
    log('account_reset')
  }

  /** The version that is now current. Refuses `invalid_device_list`, `version_conflict` and `proof_needed`. */
  async replaceList({ account, session, device, deviceList }: Replacement): Promise<number> {
    const list = await readList({ bytes: deviceList, account, now: this.#deps.clock.now() })
    await this.#advance(list, undefined, (tx, gone) => this.#mayTakeOff(tx, { session, devices: gone.filter((id) => id !== device) }))
    return list.version
  }

  /**
   * The version that is now current, again: the server had accepted it, and lost it with the end of its database. What it asked for then
   * it does not ask for twice; a device that it knows no more is entered, and signs in by itself. Refuses `invalid_device_list` and `version_conflict`.
   */
  async takeAgain({ account, deviceList, proof }: OfferedAgain): Promise<number> {
    const { clock, transparency } = this.#deps
    const list = await readList({ bytes: deviceList, account, now: clock.now() })
    await this.#advance(list, 'any', async (tx) => {
      if (!(await transparency.hadAndLost(tx, list, proof))) throw new Refusal('invalid_device_list')
      const known = new Set((await store.listedDevices(tx, account)).map(({ id }) => id))
      for (const { device } of list.devices) {
        if (known.has(device)) continue
        if (await store.findDevice(tx, device)) throw new Refusal('invalid_device_list')
        await this.#addDevice(tx, { list, device })
      }
    })
    this.#deps.log('device_list_offered_again')
    return list.version
  }

  /** Stores `list` as the next one together with what `inside` does, and tells everybody. */
  async #advance(
    list: CheckedList,
    added: DeviceId | 'any' | undefined,
    inside: (tx: Transaction<Tables>, gone: readonly DeviceId[]) => Promise<void>,
  ): Promise<void> {
    const { bells, events, log } = this.#deps
    const removed = await bells.write(async (tx, say) => {
      const current = await store.lockList(tx, list.account)
      if (!current) throw new Refusal('not_found')
      assertContinues(list, { version: current.version, accountKey: current.account_key, hash: current.hash })
      const known = await store.listedDevices(tx, list.account)
      assertSameDevices(list, { known, added })
      const gone = known.map(({ id }) => id).filter((id) => !list.devices.some(({ device }) => device === id))
      await inside(tx, gone)
      await this.#put(tx, list)
      for (const session of await this.#leave(tx, gone)) say({ kind: 'session_ended', session })
      for (const device of gone) await events.note(tx, { account: list.account, kind: 'device_removed', device })
      say({ kind: 'devices_changed', account: list.account, version: list.version })
      return gone.length
    })
    if (removed > 0) log('devices_removed', { count: removed })
  }

  /** One that nobody uses may go by itself; to take off one in use takes a person who proves that it is them. */
  async #mayTakeOff(tx: Transaction<Tables>, { session, devices }: { session: SessionId; devices: readonly DeviceId[] }): Promise<void> {
    const { sessions, clock } = this.#deps
    const inUse = await sessions.usedSince(tx, devices, clock.now() - IDLE)
    if (inUse.length > 0) await sessions.mustBeProved(tx, session)
  }

  /** A list is current and logged, or neither. */
  async #put(tx: Transaction<Tables>, list: CheckedList): Promise<void> {
    await store.putList(tx, rowOf(list))
    await this.#deps.transparency.append(tx, list)
  }

  /** Ends what devices that left the list had. */
  async #leave(tx: Transaction<Tables>, devices: readonly DeviceId[]): Promise<SessionId[]> {
    const { clock, keys, sessions } = this.#deps
    if (devices.length === 0) return []
    await store.markRemoved(tx, { devices, at: clock.now() })
    await keys.forget(tx, devices)
    return sessions.endOfDevices(tx, devices)
  }

  async #addDevice(tx: Transaction<Tables>, { list, device }: { list: CheckedList; device: DeviceId }): Promise<void> {
    const certificate = certificateIn(list, device)
    const times = { added_at: this.#deps.clock.now(), removed_at: null }
    await store.addDevice(tx, { id: device, account: list.account, signature_key: certificate.signatureKey, ...times })
  }
}

function certificateIn(list: CheckedList, device: DeviceId): DeviceCertificate {
  const certificate = list.devices.find((one) => one.device === device)
  if (!certificate) throw new Refusal('invalid_device_list')
  return certificate
}

const rowOf = (list: CheckedList): store.DeviceListRow => ({
  account: list.account,
  version: list.version,
  account_key: list.accountKey,
  hash: list.hash,
  bytes: list.bytes,
})
