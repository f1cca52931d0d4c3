/** Locks and shared memory of one SQLite file, between the connections of one machine (https://sqlite.org/lockingv3.html, walformat.html). */

const SHARED = 1
const RESERVED = 2
const PENDING = 3
const EXCLUSIVE = 4

/** The five levels of a lock on the file itself, by connection. */
export class Locks {
  readonly #levels = new Map<number, number>()

  /** Returns whether the connection has the level now. */
  raise(holder: number, level: number): boolean {
    const mine = this.#levels.get(holder) ?? 0
    if (mine >= level) return true
    const others = [...this.#levels].filter(([other]) => other !== holder).map(([, theirs]) => theirs)
    const highest = Math.max(0, ...others)
    if (level === SHARED && highest >= PENDING) return false
    if (level >= RESERVED && highest >= RESERVED) return false
    if (level !== EXCLUSIVE || highest === 0) {
      this.#levels.set(holder, level)
      return true
    }
    // Readers are still there: no new ones may come meanwhile.
    this.#levels.set(holder, PENDING)
    return false
  }

  lower(holder: number, level: number): void {
    if (level === 0) this.#levels.delete(holder)
    else this.#levels.set(holder, Math.min(level, this.#levels.get(holder) ?? 0))
  }

  isReserved(): boolean {
    return [...this.#levels.values()].some((level) => level >= RESERVED)
  }
}

const SHM_UNLOCK = 1
const SHM_EXCLUSIVE = 8
const SLOTS = 8

/** The WAL index: regions of memory that all connections see, and eight locks. */
export class SharedMemory {
  readonly #allocate: (size: number) => number
  #regions: number[] = []
  readonly #holders = new Set<number>()
  /** Per slot who shares it; one with `exclusive` shares it with nobody. */
  readonly #slots = Array.from({ length: SLOTS }, () => ({ sharing: new Set<number>(), exclusive: undefined as number | undefined }))

  constructor(allocate: (size: number) => number) {
    this.#allocate = allocate
  }

  /** Where a region is; 0 when it does not exist and is not to be made. */
  region(holder: number, wanted: { index: number; size: number; extend: boolean }): number {
    this.#holders.add(holder)
    while (wanted.extend && this.#regions.length <= wanted.index) this.#regions.push(this.#allocate(wanted.size))
    return this.#regions[wanted.index] ?? 0
  }

  /** Takes or gives back some slots; returns whether that worked. */
  lock(holder: number, { slot, count, flags }: { slot: number; count: number; flags: number }): boolean {
    const slots = this.#slots.slice(slot, slot + count)
    const exclusive = (flags & SHM_EXCLUSIVE) !== 0
    if (flags & SHM_UNLOCK) {
      for (const one of slots) {
        one.sharing.delete(holder)
        if (one.exclusive === holder) one.exclusive = undefined
      }
      return true
    }
    const free = slots.every((one) => {
      if (one.exclusive !== undefined && one.exclusive !== holder) return false
      return !exclusive || [...one.sharing].every((other) => other === holder)
    })
    if (!free) return false
    for (const one of slots) {
      if (exclusive) one.exclusive = holder
      else one.sharing.add(holder)
    }
    return true
  }

  /** The last one who goes leaves nothing behind: whoever comes next reads the log anew. */
  forget(holder: number): void {
    this.lock(holder, { slot: 0, count: SLOTS, flags: SHM_UNLOCK })
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#regions = []
  }
}
