/**
 * This device's key packages: made ahead, their private parts stored before the public ones are published, refilled when
 * the server says that few are left, and all made anew long before they expire.
 */
import { limits, routes } from '@tacit/contract'
import type { KeyPackagePair, LeafIdentity, MlsEngine } from '@tacit/mls'
import type { Session } from '../connection/session.ts'
import { blob } from '../local-store/columns.ts'
import type { Reader, StoreDriver, Writer } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import type { Clock } from '../surroundings.ts'

/** How many one-time packages lie on the server after a refill. */
export const ONE_TIME = 50

const DAY = 86_400

/** A lifetime of more than 28 days is refused by every member (RFC 9420 section 7.2 leaves the number to us); an hour back for clocks. */
const LIFETIME = 27 * DAY
const EARLIER = 3600

/** The last resort is replaced after this time, in milliseconds. */
const RENEW_AFTER = 14 * DAY * 1000

/** Private parts are erased when no Welcome for them can be valid any more, in milliseconds. */
const KEEP = 28 * DAY * 1000

export interface MadeKeyPackages {
  readonly oneTime: readonly KeyPackagePair[]
  readonly lastResort: KeyPackagePair | undefined
}

/** Makes packages; `now` in milliseconds. */
export async function makeKeyPackages(request: {
  readonly engine: MlsEngine
  readonly identity: LeafIdentity
  readonly now: number
  readonly oneTime: number
  readonly lastResort: boolean
}): Promise<MadeKeyPackages> {
  const { engine, identity } = request
  const now = Math.floor(request.now / 1000)
  const lifetime = { notBefore: BigInt(now - EARLIER), notAfter: BigInt(now + LIFETIME) }
  const oneTime: KeyPackagePair[] = []
  while (oneTime.length < request.oneTime) oneTime.push(await engine.createKeyPackage({ identity, ...lifetime, lastResort: false }))
  const lastResort = request.lastResort ? await engine.createKeyPackage({ identity, ...lifetime, lastResort: true }) : undefined
  return { oneTime, lastResort }
}

/** What is published of them. */
export const asUpload = ({ oneTime, lastResort }: MadeKeyPackages) => ({
  oneTime: oneTime.map((pair) => new Uint8Array(pair.keyPackage)),
  ...(lastResort && { lastResort: new Uint8Array(lastResort.keyPackage) }),
})

export async function saveKeyPackages(writer: Writer, made: MadeKeyPackages & { readonly now: number }): Promise<void> {
  const sql = 'insert into key_package (ref, bytes, secret, last_resort, made_at) values (?, ?, ?, ?, ?)'
  for (const pair of made.oneTime) await writer.run(sql, [pair.ref, pair.keyPackage, pair.secret, 0, made.now])
  const last = made.lastResort
  if (last) await writer.run(sql, [last.ref, last.keyPackage, last.secret, 1, made.now])
}

/** These lie on the server now. */
export async function markPublished(writer: Writer, { oneTime, lastResort }: MadeKeyPackages): Promise<void> {
  for (const { ref } of lastResort ? [...oneTime, lastResort] : oneTime)
    await writer.run('update key_package set published = 1 where ref = ?', [ref])
}

/** The package that a Welcome is for, by its ref. */
export async function findKeyPackage(
  reader: Reader,
  ref: Uint8Array,
): Promise<(KeyPackagePair & { readonly lastResort: boolean }) | undefined> {
  const row = await reader.get('select ref, bytes, secret, last_resort from key_package where ref = ?', [ref])
  return row && { ref: blob(row, 'ref'), keyPackage: blob(row, 'bytes'), secret: blob(row, 'secret'), lastResort: row['last_resort'] === 1 }
}

/** A one-time package is used up by its Welcome; a last resort that was used is replaced soon (RFC 9420 section 16.8). */
export async function eraseUsedKeyPackage(writer: Writer, ref: Uint8Array): Promise<void> {
  await writer.run('update key_package set published = 0 where ref = ? and last_resort = 1', [ref])
  await writer.run('delete from key_package where ref = ? and last_resort = 0', [ref])
}

export interface KeyPackagesParts {
  readonly store: StoreDriver
  readonly engine: MlsEngine
  /** What this device is now. */
  readonly identity: () => LeafIdentity
  readonly session: Session
  readonly clock: Clock
}

export class KeyPackages {
  readonly #parts: KeyPackagesParts
  readonly #turns = new OneAtATime()

  constructor(parts: KeyPackagesParts) {
    this.#parts = parts
  }

  /** Refills what is missing on the server; rejects with `Refusal` or `Unreachable`, and the next call goes on. */
  refill(): Promise<void> {
    return this.#turns.run(() => this.#refill())
  }

  async #refill(): Promise<void> {
    const { store, engine, session, clock } = this.#parts
    const identity = this.#parts.identity()
    const now = clock.now()
    const newest = await store.get('select max(made_at) as at from key_package where last_resort = 1 and published = 1')
    const lastResort = now - Number(newest?.['at'] ?? 0) > RENEW_AFTER
    const { available } = await session.call(routes.keys.count, {})
    if (!lastResort && available >= limits.keyPackagesLow) return
    const made = await makeKeyPackages({ engine, identity, now, oneTime: Math.max(0, ONE_TIME - available), lastResort })
    await store.transaction(async (writer) => {
      await saveKeyPackages(writer, { ...made, now })
      await writer.run('delete from key_package where made_at < ?', [now - KEEP])
    })
    await session.call(routes.keys.publish, { body: asUpload(made) })
    await store.transaction((writer) => markPublished(writer, made))
  }
}
