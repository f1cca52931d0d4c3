/**
 * The app lock of this browser, in the worker that leads. It knows whether the key of the database is locked, keeps the key
 * that opens it while it is open, and locks by itself when the person was away long enough.
 *
 * Wrong tries at the keyboard are slowed: five are free, then each doubles a wait that begins with 30 seconds and ends at an hour.
 */
import { MessengerError } from '../api.ts'
import { LiveValue } from '../live.ts'
import { noteOnLock, readKey, readLock, relockKey, type DeviceKey, type KeyLock } from '../local-store/device-key.browser.ts'
import type { Clock, Random } from '../surroundings.ts'
import { SHORTEST_PIN, type LockSecret, type LockState, type LockVerbs } from './app-lock.ts'
import { lockKeyOf } from './lock-key.ts'

export interface DeviceLockParts {
  /** Name of the database whose key is locked. */
  readonly place: string
  readonly clock: Clock
  readonly random: Random
}

const FREE_TRIES = 5
const FIRST_WAIT = 30_000
const LONGEST_WAIT = 3_600_000
const MINUTE = 60_000

export class DeviceLock {
  readonly state = new LiveValue<LockState>({ kind: 'unknown' })
  /** Called when the person was away for long enough. */
  onDue: () => void = () => undefined
  readonly #parts: DeviceLockParts
  #key: Uint8Array<ArrayBuffer> | undefined
  #lastSeen = 0
  #stopTimer: () => void = () => undefined

  constructor(parts: DeviceLockParts) {
    this.#parts = parts
  }

  /** What opens the database, if it is under a lock that is open. */
  get key(): Uint8Array<ArrayBuffer> | undefined {
    return this.#key
  }

  /** Looks at what is stored, before the database is opened. */
  async look(): Promise<LockState> {
    const lock = await readLock(this.#parts.place)
    this.#show(lock)
    return this.state.get()
  }

  async set({ secret, credential, afterMinutes, current }: Parameters<LockVerbs['setLock']>[0]): Promise<void> {
    checkSecret(secret)
    checkMinutes(afterMinutes)
    const { place, random } = this.#parts
    const before = await readLock(place)
    const key = before ? (await this.#open(before, mustHave(current))).key : await readKey(place)
    if (!key || key === 'locked' || !key.inUse) throw new MessengerError('not_signed_in', 'There is nothing to lock yet.')
    const salt = random.bytes(16)
    const lockKey = await lockKeyOf(secret, salt)
    const lock: KeyLock = {
      by: secret.kind,
      salt,
      ...(credential !== undefined && { credential }),
      afterMinutes,
      failures: 0,
      notBefore: 0,
    }
    await relockKey(place, key, { lock, key: lockKey })
    key.bytes.fill(0)
    this.#opened(lockKey)
    this.#show(lock)
  }

  async remove({ current }: Parameters<LockVerbs['removeLock']>[0]): Promise<void> {
    const { place } = this.#parts
    const lock = await readLock(place)
    if (!lock) return this.#show(undefined)
    const { key } = await this.#open(lock, current)
    await relockKey(place, key)
    key.bytes.fill(0)
    this.forget()
    this.#show(undefined)
  }

  async unlock({ secret }: Parameters<LockVerbs['unlock']>[0]): Promise<void> {
    const lock = await readLock(this.#parts.place)
    if (!lock) return this.#show(undefined)
    const { key, lockKey } = await this.#open(lock, secret)
    key.bytes.fill(0)
    this.#opened(lockKey)
    this.#show(lock)
  }

  /** Forgets the key; whoever has the database open closes it. */
  async lock(): Promise<void> {
    this.forget()
    this.#show(await readLock(this.#parts.place))
  }

  stillHere(): void {
    const state = this.state.get()
    if (state.kind !== 'open') return
    // A machine that slept kept no timers: whoever comes back too late finds it locked.
    if (this.#isDue(state.afterMinutes)) this.onDue()
    else this.#lastSeen = this.#parts.clock.now()
  }

  forget(): void {
    this.#stopTimer()
    this.#key?.fill(0)
    this.#key = undefined
  }

  /** The key of the database and that of its lock, or a refusal that counts. */
  async #open(lock: KeyLock, secret: LockSecret): Promise<{ key: DeviceKey; lockKey: Uint8Array<ArrayBuffer> }> {
    const { place, clock } = this.#parts
    const wait = lock.notBefore - clock.now()
    // Never longer than the longest wait, whatever the clock was when it was noted.
    if (wait > 0 && wait <= LONGEST_WAIT)
      throw new MessengerError('rate_limited', 'Too many wrong tries.', { retryAfter: Math.ceil(wait / 1000) })
    const lockKey = await lockKeyOf(secret, lock.salt)
    const key = secret.kind === lock.by ? await readKey(place, lockKey) : 'locked'
    if (key && key !== 'locked') {
      if (lock.failures > 0) await noteOnLock(place, { failures: 0, notBefore: 0 })
      return { key, lockKey }
    }
    const failures = lock.failures + 1
    const pause = failures < FREE_TRIES ? 0 : Math.min(FIRST_WAIT * 2 ** (failures - FREE_TRIES), LONGEST_WAIT)
    await noteOnLock(place, { failures, notBefore: pause > 0 ? clock.now() + pause : 0 })
    if (this.state.get().kind === 'locked') await this.look()
    throw new MessengerError('wrong_lock_secret', 'This does not open the app lock.', pause > 0 ? { retryAfter: pause / 1000 } : {})
  }

  #opened(key: Uint8Array<ArrayBuffer>): void {
    this.forget()
    this.#key = key
    this.#lastSeen = this.#parts.clock.now()
  }

  #show(lock: KeyLock | undefined): void {
    if (!lock) return this.state.set({ kind: 'off' })
    const { by, credential, afterMinutes, notBefore } = lock
    const which = { by, ...(credential !== undefined && { credential }) }
    if (!this.#key) return this.state.set({ kind: 'locked', ...which, notBefore })
    this.state.set({ kind: 'open', ...which, afterMinutes })
    this.#watchTheTime(afterMinutes)
  }

  #watchTheTime(afterMinutes: number): void {
    this.#stopTimer()
    const left = this.#lastSeen + afterMinutes * MINUTE - this.#parts.clock.now()
    this.#stopTimer = this.#parts.clock.after(Math.max(left, 0), () => {
      if (this.#isDue(afterMinutes)) this.onDue()
      else this.#watchTheTime(afterMinutes)
    })
  }

  #isDue(afterMinutes: number): boolean {
    const away = this.#parts.clock.now() - this.#lastSeen
    // A clock that was set back tells nothing about how long the person was away.
    return away >= afterMinutes * MINUTE || away < 0
  }
}

function mustHave(current: LockSecret | undefined): LockSecret {
  if (!current) throw new MessengerError('wrong_lock_secret', 'Changing the app lock takes the one until now.')
  return current
}

function checkSecret(secret: LockSecret): void {
  if (secret.kind === 'passkey' && secret.prf.length !== 32)
    throw new MessengerError('passkey_without_prf', 'This passkey cannot lock anything.')
  if (secret.kind === 'pin' && Array.from(secret.pin).length < SHORTEST_PIN)
    throw new MessengerError('weak_password', `A PIN has at least ${SHORTEST_PIN} characters.`)
}

function checkMinutes(minutes: number): void {
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1440)
    throw new MessengerError('malformed', 'The app lock closes after 1 to 1440 minutes.')
}
