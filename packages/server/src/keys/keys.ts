/**
 * Key packages: published ahead by a device, handed out once each to whoever wants to add it (RFC 9420 section 10). Only
 * sound ones of the device itself are taken; the claimer checks them again. A package of a removed device is gone with it.
 */
import {
  limits as sizes,
  Refusal,
  type AccountId,
  type DeviceCertificate,
  type DeviceId,
  type KeyPackageUpload,
  type Routes,
} from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Clock } from '../clock.ts'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import { checkPackages, type CheckedPackages } from './check-packages.ts'
import * as store from './keys.store.ts'

type Acquainted = (account: AccountId, other: AccountId) => Promise<boolean>

export interface Keys {
  /** `sharesConversation`: whether two accounts know each other. */
  handlers(sharesConversation: Acquainted): RoomHandlers<Routes['keys']>
  /** Before a transaction, because it checks signatures: whether these are packages of this device. Refuses `invalid_key_package`. */
  check(upload: KeyPackageUpload, certificate: DeviceCertificate): Promise<CheckedPackages>
  /** Adds packages in the caller's transaction. Refuses `invalid_key_package` and `too_many`. */
  add(tx: Transaction<Tables>, owned: { account: AccountId; device: DeviceId; packages: CheckedPackages }): Promise<void>
  /** Forgets all packages of devices that were removed. */
  forget(tx: Transaction<Tables>, devices: readonly DeviceId[]): Promise<void>
  /** How many one-time packages of a device are left. */
  available(device: DeviceId): Promise<number>
}

export interface KeysDeps {
  readonly database: Database
  readonly bells: Bells
  readonly limits: Limits
  readonly clock: Clock
  /** The certificate of a device on its account's current list. */
  certificateOf(owner: { account: AccountId; device: DeviceId }): Promise<DeviceCertificate | undefined>
}

export function createKeys(deps: KeysDeps): Keys {
  const { database, clock } = deps
  return {
    handlers: (sharesConversation) => handlers({ ...deps, check, sharesConversation }),
    check,
    add,
    forget: async (tx, devices) => void (devices.length > 0 && (await store.dropPackagesOf(tx, devices))),
    available: (device) => store.countOneTime(database.kysely, device),
  }

  function check(upload: KeyPackageUpload, certificate: DeviceCertificate): Promise<CheckedPackages> {
    return checkPackages(upload, { certificate, now: clock.now() })
  }
}

interface HandlerDeps extends KeysDeps {
  readonly check: Keys['check']
  readonly sharesConversation: Acquainted
}

function handlers({ database, bells, limits, check, certificateOf, sharesConversation }: HandlerDeps): RoomHandlers<Routes['keys']> {
  return {
    async publish({ body, caller }) {
      await limits.spend('publish', caller.device)
      const { account, device } = caller
      const certificate = await certificateOf(caller)
      if (!certificate) throw new Refusal('invalid_key_package')
      const packages = await check(body, certificate)
      return database.write(async (tx) => {
        await add(tx, { account, device, packages })
        return { available: await store.countOneTime(tx, device) }
      })
    },
    async count({ caller }) {
      return { available: await store.countOneTime(database.kysely, caller.device) }
    },
    async claim({ body, caller }) {
      await spendFor(caller.account, body.account)
      const taken = await bells.write(async (tx, say) => {
        const claimed = await claim(tx, body)
        for (const { device } of claimed)
          if ((await store.countOneTime(tx, device)) < sizes.keyPackagesLow) say({ kind: 'keys_low', device })
        return claimed
      })
      return { keyPackages: taken.map(({ device, bytes }) => ({ device, keyPackage: bytes })) }
    },
  }

  /** Own devices are added to every conversation that one begins; people who know each other may begin many in a day. */
  async function spendFor(account: AccountId, of: AccountId): Promise<void> {
    if (account === of) return
    await limits.spend('claim', `${account} ${of}`)
    if (!(await sharesConversation(account, of))) await limits.spend('claim_day', `${account} ${of}`)
  }
}

/** One-time packages first; a device that has none left gives its last resort. Unknown devices are simply not in the answer. */
async function claim(tx: Transaction<Tables>, wanted: { account: AccountId; devices: readonly DeviceId[] }): Promise<store.Claimed[]> {
  const oneTime = await store.takeOneTime(tx, wanted)
  const without = wanted.devices.filter((device) => !oneTime.some((taken) => taken.device === device))
  const lastResort = without.length > 0 ? await store.lastResortsOf(tx, { account: wanted.account, devices: without }) : []
  return [...oneTime, ...lastResort]
}

async function add(
  tx: Transaction<Tables>,
  { account, device, packages }: { account: AccountId; device: DeviceId; packages: CheckedPackages },
): Promise<void> {
  const { oneTime, lastResort } = packages
  const rows = [
    ...oneTime.map((checked) => ({ account, device, last_resort: 0 as const, ...checked })),
    ...(lastResort ? [{ account, device, last_resort: 1 as const, ...lastResort }] : []),
  ]
  if (rows.length === 0) return
  await store.lockUploads(tx, device)
  if (lastResort) await store.dropLastResort(tx, device)
  await refuseRepeats(
    tx,
    rows.map(({ hash }) => hash),
  )
  if ((await store.countOneTime(tx, device)) + oneTime.length > sizes.keyPackagesPerDevice) throw new Refusal('too_many')
  await store.addPackages(tx, rows)
}

/** A package that is handed out twice would let two groups share a secret. */
async function refuseRepeats(tx: Transaction<Tables>, hashes: readonly Uint8Array[]): Promise<void> {
  const distinct = new Set(hashes.map((hash) => Buffer.from(hash).toString('base64')))
  if (distinct.size !== hashes.length || (await store.anyKnown(tx, hashes))) throw new Refusal('invalid_key_package')
}
