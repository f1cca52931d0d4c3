/**
 * When this device was there. One that was away for long comes back with keys that nobody renewed meanwhile; a timer that
 * rings late counts as well, because a computer that slept believed to be online. Stored, so that a restart is no return.
 */
import { decodeCbor, encodeCbor } from '@tacit/contract'
import { blob } from '../local-store/columns.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import type { Clock } from '../surroundings.ts'

/** Away for so long is an absence, in milliseconds. */
const ABSENCE = 10 * 60_000

/** How often being there is written down; less than an absence, so that a crash is none. */
const EVERY = 4 * 60_000

export interface AttendanceParts {
  readonly store: StoreDriver
  readonly clock: Clock
  readonly isOnline: () => boolean
  /** Now and then while the device is there. */
  readonly tick: () => void
}

export class Attendance {
  readonly #parts: AttendanceParts
  readonly #turns = new OneAtATime()
  #stop = () => {}

  constructor(parts: AttendanceParts) {
    this.#parts = parts
  }

  /** The device is online. */
  arrived(): void {
    this.#stop()
    void this.#note().catch(() => undefined)
    this.#later()
  }

  /** It is offline now. What it was until now is noted by the last tick. */
  left(): void {
    this.#stop()
  }

  /** When it came back from its last absence, in milliseconds; 0: never. */
  returned(): Promise<number> {
    return this.#turns.run(async () => (await this.#load()).returned)
  }

  #later(): void {
    this.#stop = this.#parts.clock.after(EVERY, () => {
      if (!this.#parts.isOnline()) return
      this.arrived()
      this.#parts.tick()
    })
  }

  #note(): Promise<void> {
    const { store, clock } = this.#parts
    return this.#turns.run(async () => {
      const { seen, returned } = await this.#load()
      const now = clock.now()
      const wasAway = seen > 0 && (now - seen >= ABSENCE || now < seen)
      const value = encodeCbor([now, wasAway ? now : returned])
      await store.transaction((writer) => writer.run('insert or replace into setting (name, value) values (?, ?)', ['attendance', value]))
    })
  }

  async #load(): Promise<{ readonly seen: number; readonly returned: number }> {
    const row = await this.#parts.store.get('select value from setting where name = ?', ['attendance'])
    const value = row && decodeCbor(blob(row, 'value'))
    const [seen, returned] = Array.isArray(value) ? value : []
    return { seen: typeof seen === 'number' ? seen : 0, returned: typeof returned === 'number' ? returned : 0 }
  }
}
