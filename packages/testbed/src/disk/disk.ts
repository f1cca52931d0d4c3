/**
 * A disk under a real SQLite that loses what was not synced. What a program writes is visible to it at once (`content`); what
 * survives a power cut is what was synced, plus any part of what was written since, sector by sector, the last one torn.
 * A full disk refuses to grow; a failing one answers a write, a sync or a read with an error once, and a failed sync loses
 * what it should have stored while the program still reads it, as Linux does.
 */

/** One draw of the one seeded generator; see dice.ts. */
export interface Chance {
  /** A whole number of at least 0 and less than `below`. */
  below(below: number): number
}

/** What a disk can be told to do wrong, once. */
export type DiskFault = 'write_error' | 'sync_error' | 'read_error'

/** What happens to the program at an operation of its disk, e.g. that its machine stops. Called before the operation. */
export type DiskWatcher = (operation: 'write' | 'sync') => void

export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly kind: 'full' | 'io'
  constructor(kind: 'full' | 'io') {
    super(kind === 'full' ? 'the simulated disk is full' : 'the simulated disk failed')
    this.kind = kind
  }
}

/** The smallest unit that a disk writes as a whole. */
const SECTOR = 512

interface Write {
  readonly offset: number
  /** Absent for a truncation to `offset`. */
  readonly bytes?: Uint8Array
}

export class SimulatedDisk {
  readonly #files = new Map<string, DiskFile>()
  #fault: DiskFault | undefined
  #watcher: DiskWatcher | undefined
  /** Bytes that all files together may have. */
  capacity = Number.POSITIVE_INFINITY
  syncs = 0
  writes = 0

  /** A disk with these files, all of them synced. */
  static holding(files: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
    const disk = new SimulatedDisk()
    for (const [name, bytes] of files) disk.#files.set(name, new DiskFile(disk, bytes))
    return disk
  }

  /** What a program reads now, file by file. */
  snapshot(): Map<string, Uint8Array> {
    return new Map([...this.#files].map(([name, file]) => [name, file.content()]))
  }

  /** The next operation of that kind fails. */
  failNext(fault: DiskFault): void {
    this.#fault = fault
  }

  heal(): void {
    this.#fault = undefined
    this.#watcher = undefined
    this.capacity = Number.POSITIVE_INFINITY
  }

  watch(watcher: DiskWatcher | undefined): void {
    this.#watcher = watcher
  }

  /** The power is cut: what was not synced is there in part or not at all. */
  cutPower(chance: Chance): void {
    for (const file of this.#files.values()) file.cutPower(chance)
  }

  get used(): number {
    let used = 0
    for (const file of this.#files.values()) used += file.size
    return used
  }

  find(name: string): DiskFile | undefined {
    return this.#files.get(name)
  }

  make(name: string): DiskFile {
    const file = this.#files.get(name) ?? new DiskFile(this, new Uint8Array())
    this.#files.set(name, file)
    return file
  }

  remove(name: string): void {
    this.#files.delete(name)
  }

  /** Called by files before each operation. Throws `DiskError`. */
  operate(operation: 'write' | 'sync' | 'read', growth = 0): void {
    if (operation === 'write') this.writes += 1
    if (operation === 'sync') this.syncs += 1
    if (operation !== 'read') this.#watcher?.(operation)
    if (this.#fault === `${operation}_error`) {
      this.#fault = undefined
      throw new DiskError('io')
    }
    if (growth > 0 && this.used + growth > this.capacity) throw new DiskError('full')
  }
}

export class DiskFile {
  readonly #disk: SimulatedDisk
  readonly #now: Content
  readonly #durable: Content
  #unsynced: Write[] = []

  constructor(disk: SimulatedDisk, bytes: Uint8Array) {
    this.#disk = disk
    this.#now = new Content(bytes)
    this.#durable = new Content(bytes)
  }

  get size(): number {
    return this.#now.size
  }

  content(): Uint8Array {
    return this.#now.copy()
  }

  /** Fills `into` from `offset` on; returns how many bytes there were. */
  read(into: Uint8Array, offset: number): number {
    this.#disk.operate('read')
    return this.#now.read(into, offset)
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#disk.operate('write', Math.max(0, offset + bytes.length - this.size))
    this.#change({ offset, bytes: bytes.slice() })
  }

  truncate(size: number): void {
    this.#disk.operate('write')
    this.#change({ offset: size })
  }

  sync(): void {
    const unsynced = this.#unsynced.splice(0)
    // When it fails, the system forgets what it had to write; a later sync that succeeds says nothing about it.
    this.#disk.operate('sync')
    for (const write of unsynced) this.#durable.apply(write)
  }

  cutPower(chance: Chance): void {
    for (const write of survivors(this.#unsynced.splice(0), chance)) this.#durable.apply(write)
    this.#now.become(this.#durable)
  }

  #change(write: Write): void {
    this.#now.apply(write)
    this.#unsynced.push(write)
  }
}

/** A file's bytes in pages, which contents share until one of them changes: most of a disk is the same in every world. */
class Content {
  #pages: Uint8Array[]
  readonly #own = new Set<Uint8Array>()
  #size: number

  constructor(bytes: Uint8Array) {
    this.#size = bytes.length
    this.#pages = pagesOf(bytes)
  }

  get size(): number {
    return this.#size
  }

  copy(): Uint8Array {
    const bytes = new Uint8Array(this.#size)
    this.read(bytes, 0)
    return bytes
  }

  become(other: Content): void {
    this.#pages = [...other.#pages]
    this.#size = other.#size
    // Neither may change what both have.
    this.#own.clear()
    other.#own.clear()
  }

  /** Returns how many bytes there were; the rest is zeros. */
  read(into: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - offset))
    for (let done = 0; done < count;) {
      const [page, at] = [Math.floor((offset + done) / PAGE), (offset + done) % PAGE]
      const length = Math.min(PAGE - at, count - done)
      into.set((this.#pages[page] ?? EMPTY).subarray(at, at + length), done)
      done += length
    }
    into.fill(0, count)
    return count
  }

  apply({ offset, bytes }: Write): void {
    if (!bytes) return this.#truncate(offset)
    for (let done = 0; done < bytes.length;) {
      const [page, at] = [Math.floor((offset + done) / PAGE), (offset + done) % PAGE]
      const length = Math.min(PAGE - at, bytes.length - done)
      this.#writable(page).set(bytes.subarray(done, done + length), at)
      done += length
    }
    this.#size = Math.max(this.#size, offset + bytes.length)
  }

  #truncate(size: number): void {
    if (size % PAGE > 0 && size < this.#size) this.#writable(Math.floor(size / PAGE)).fill(0, size % PAGE)
    this.#pages.length = Math.min(this.#pages.length, Math.ceil(size / PAGE))
    this.#size = size
  }

  #writable(page: number): Uint8Array {
    while (this.#pages.length <= page) this.#pages.push(EMPTY)
    const found = this.#pages[page] ?? EMPTY
    if (this.#own.has(found)) return found
    const copy = found.slice()
    this.#pages[page] = copy
    this.#own.add(copy)
    return copy
  }
}

const PAGE = 4096
const EMPTY = new Uint8Array(PAGE)

/** The pages of bytes that nobody changes; cut once. */
const cut = new WeakMap<Uint8Array, readonly Uint8Array[]>()

function pagesOf(bytes: Uint8Array): Uint8Array[] {
  const known = cut.get(bytes)
  if (known) return [...known]
  const pages = Array.from({ length: Math.ceil(bytes.length / PAGE) }, (_, at) => {
    const page = new Uint8Array(PAGE)
    page.set(bytes.subarray(at * PAGE, (at + 1) * PAGE))
    return page
  })
  cut.set(bytes, pages)
  return [...pages]
}

/** Which of the writes reached the disk: none, all, the first ones, or any of their sectors; the last of them may be torn. */
function survivors(writes: readonly Write[], chance: Chance): Write[] {
  const pieces = writes.flatMap(sectorsOf)
  const kind = (['none', 'all', 'first', 'any'] as const)[chance.below(4)] ?? 'none'
  if (kind === 'none') return []
  if (kind === 'all') return pieces
  const kept = kind === 'first' ? pieces.slice(0, chance.below(pieces.length + 1)) : pieces.filter(() => chance.below(2) === 0)
  const last = kept.at(-1)
  if (!last?.bytes || chance.below(2) === 0) return kept
  return [...kept.slice(0, -1), { offset: last.offset, bytes: last.bytes.subarray(0, chance.below(last.bytes.length)) }]
}

function sectorsOf({ offset, bytes }: Write): Write[] {
  if (!bytes) return [{ offset }]
  const sectors: Write[] = []
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + SECTOR - ((offset + at) % SECTOR))
    sectors.push({ offset: offset + at, bytes: bytes.subarray(at, end) })
    at = end
  }
  return sectors
}
