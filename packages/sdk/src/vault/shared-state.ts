/**
 * Keeps the parts `people`, `settings` and `places` the same on all own devices. What is changed here is stored first and brought to the
 * server soon after; when another device was faster, its values are merged and it is tried again, so nothing that a person did is lost.
 */
import { limits, Refusal, routes, type CborValue } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import type { Writer } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { backOff, isPassing } from '../trouble.ts'
import { keyOfGeneration, type VaultAccess } from './own-vault.ts'
import { openPart, sealPart } from './parts.ts'
import { DAY_MS, decodeValues, encodeValues } from './values.ts'
import {
  owesAny,
  settleValues,
  SHARED_PARTS,
  setValue,
  takeValues,
  unsettleValues,
  valuesOf,
  type SharedPart,
  type StoredValue,
} from './values.store.ts'
import { forgetSeenPart } from './vault.store.ts'

export interface SharedStateParts {
  readonly core: Pick<DeviceCore, 'store' | 'clock' | 'random' | 'duties' | 'wire' | 'device'>
  readonly access: () => VaultAccess
  /** Values of this part are others than before, in the transaction that makes them so. */
  readonly settle: (writer: Writer, part: SharedPart) => Promise<void>
  /** And after it. `here`: the names of what was changed on this device itself. */
  readonly changed: (part: SharedPart, here?: readonly string[]) => Promise<void>
  /** The server presented an older part than before. */
  readonly rolledBack: () => Promise<void>
}

/** Changes of this time go together, in milliseconds. */
const GATHER = { people: 200, settings: 500, places: 3000 } as const
const JITTER = 1000
const ROUNDS = 8
/** Half of what the wire takes: the padding doubles at most. */
const LARGEST = limits.vaultPart / 2 - 64

export class SharedState {
  readonly #parts: SharedStateParts
  readonly #turns = new OneAtATime()
  readonly #timers = new Map<SharedPart, () => void>()
  #attempt = 0

  constructor(parts: SharedStateParts) {
    this.#parts = parts
  }

  /** Sets values by name (undefined removes one), now here and soon everywhere. */
  async set(part: SharedPart, values: Readonly<Record<string, CborValue | undefined>>): Promise<void> {
    const { core, settle, changed } = this.#parts
    const day = Math.floor(core.clock.now() / DAY_MS)
    const isNews = await core.store.transaction(async (writer) => {
      let news = false
      for (const [name, value] of Object.entries(values))
        news = (await setValue(writer, part, { name, value, device: core.device, day })) || news
      if (news) await settle(writer, part)
      return news
    })
    if (!isNews) return
    await changed(part, Object.keys(values))
    this.#soon(part)
  }

  /** Values of a part may have been set in a transaction of another room: soon everywhere. */
  async noted(part: SharedPart): Promise<void> {
    const { store, duties } = this.#parts.core
    if (await duties.during(owesAny(store, part))) this.#soon(part)
  }

  /** Online: what others have changed, and what is not told yet. */
  async resume(): Promise<void> {
    const { core, access } = this.#parts
    const heads = await access().session.call(routes.vault.heads, {})
    for (const part of SHARED_PARTS) {
      const seen = await access().memory.seen(part)
      const head = heads.parts.find((one) => one.part === part)?.version ?? 0
      const owes = await owesAny(core.store, part)
      if (head !== seen || owes) await this.#exchange(part)
    }
  }

  /** Another device has changed a part. */
  async heard(part: SharedPart, version: number): Promise<void> {
    if (version > (await this.#parts.access().memory.seen(part))) await this.#exchange(part)
  }

  disconnected(): void {
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  #soon(part: SharedPart): void {
    const { clock, random, duties, wire } = this.#parts.core
    if (this.#timers.has(part) || !wire.isOnline) return
    const done = duties.begin()
    const delay =
      GATHER[part] + JITTER * random.fraction() + (this.#attempt > 0 ? backOff({ attempt: this.#attempt, fraction: random.fraction() }) : 0)
    const stop = clock.after(delay, () => {
      this.#timers.delete(part)
      void this.#exchange(part)
        .then(
          () => void (this.#attempt = 0),
          (error: unknown) => this.#failed(part, error),
        )
        .finally(done)
    })
    this.#timers.set(part, () => {
      stop()
      done()
    })
  }

  #failed(part: SharedPart, error: unknown): void {
    this.#attempt += 1
    if (isPassing(error)) this.#soon(part)
  }

  /** Until both sides have the same. */
  #exchange(part: SharedPart): Promise<void> {
    return this.#turns.run(async () => {
      await this.#pull(part)
      for (let round = 1; !(await this.#push(part)); round++) {
        if (round === ROUNDS) throw new Refusal('version_conflict')
        await this.#pull(part)
      }
    })
  }

  async #pull(part: SharedPart): Promise<void> {
    const { core, access, settle, changed } = this.#parts
    const { session, memory, self } = access()
    const seen = await memory.seen(part)
    const { version, bytes, generation } = await session.call(routes.vault.part, { params: { part } })
    if (version < seen) return this.#wentBack(part, version)
    if (version === seen || version === 0) return
    const vaultKey = await keyOfGeneration(access(), generation)
    const opened = await openPart({ vaultKey, name: { account: self.account, part, version }, sealed: bytes })
    const values = opened && decodeValues(opened)
    // Not ours: what is there is overwritten with what this device has.
    await core.store.transaction(async (writer) => {
      if (values) await takeValues(writer, part, values)
      else await unsettleValues(writer, part)
      await settle(writer, part)
    })
    await memory.keep({ seen: [{ part, version }] })
    if (values) await changed(part)
  }

  /** The server has lost what it had, or says so. What this device has is brought there again, and its person is told. */
  async #wentBack(part: SharedPart, version: number): Promise<void> {
    const { core, access, rolledBack } = this.#parts
    await core.store.transaction(async (writer) => {
      await unsettleValues(writer, part)
      await forgetSeenPart(writer, part)
    })
    if (version > 0) await access().memory.keep({ seen: [{ part, version }] })
    await rolledBack()
  }

  /** False when somebody was faster. */
  async #push(part: SharedPart): Promise<boolean> {
    const { core, access } = this.#parts
    const { session, memory, self, random } = access()
    const values = await valuesOf(core.store, part)
    if (!values.some(({ dirty }) => dirty)) return true
    const vaultKey = await memory.key()
    if (!vaultKey) return true
    const name = { account: self.account, part, version: (await memory.seen(part)) + 1 }
    const told = fitting(values, Math.floor(core.clock.now() / DAY_MS))
    const bytes = await sealPart({ vaultKey, name, bytes: told.bytes, random })
    try {
      await session.call(routes.vault.replace, {
        params: { part },
        body: { version: name.version, generation: vaultKey.generation, bytes },
      })
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'version_conflict') return false
      throw error
    }
    await memory.keep({ seen: [{ part, version: name.version }] })
    await core.store.transaction((writer) => settleValues(writer, part, told.values))
    return true
  }
}

/** What fits, the oldest left out first: it stays on this device. */
function fitting(
  values: readonly StoredValue[],
  today: number,
): { readonly values: readonly StoredValue[]; readonly bytes: Uint8Array<ArrayBuffer> } {
  const newest = values.toSorted((one, other) => other.day - one.day)
  for (let count = newest.length; ; count = Math.floor(count * 0.9)) {
    const kept = newest.slice(0, count)
    const bytes = encodeValues(kept, today)
    if (bytes.length <= LARGEST || count === 0) return { values: kept, bytes }
  }
}
