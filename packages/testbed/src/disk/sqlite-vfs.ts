/**
 * Simulated disks as SQLite's operating system: a complete sqlite3_vfs with the methods of files, locks between connections
 * and the shared memory of WAL mode (https://sqlite.org/c3ref/io_methods.html), all synchronous. The shared memory is a piece
 * of SQLite's own heap, so two connections of one machine work as two processes would.
 *
 * A file is named `machine/path`. A machine that has stopped answers everything with an input/output error.
 */
import type { DiskFile, SimulatedDisk } from './disk.ts'
import { DiskError } from './disk.ts'
import { Locks, SharedMemory } from './sqlite-locks.ts'

/** What is used of the WebAssembly module. */
export interface SqliteHeap {
  readonly HEAPU8: Uint8Array
  readonly HEAP32: Int32Array
  _malloc(size: number): number
  addFunction(work: (...given: never[]) => number, signature: string): number
  UTF8ToString(pointer: number): string
}

/** One run of a program on a disk: it stops with its machine, and its locks and shared memory with it. */
export interface Machine {
  readonly disk: SimulatedDisk
  /** The program was killed, or the power cut: it has no effect any more. */
  readonly stopped: boolean
}

export const codes = { ok: 0, busy: 5, readonly: 8, ioerr: 10, notFound: 12, full: 13, cantOpen: 14, shortRead: 522 } as const

const OPEN_CREATE = 0x4
const OPEN_DELETE_ON_CLOSE = 0x8

interface OpenFile {
  readonly machine: Machine
  readonly name: string
  readonly file: DiskFile
  readonly locks: Locks
  readonly memory: SharedMemory
  readonly deleteOnClose: boolean
}

/** Milliseconds from the Julian epoch to 1970, as SQLite counts them. */
const JULIAN = 210_866_760_000_000n

export class SimulatedVfs {
  readonly #heap: SqliteHeap
  readonly #machines = new Map<string, Machine>()
  readonly #open = new Map<number, OpenFile>()
  readonly #shared = new WeakMap<Machine, Map<string, { locks: Locks; memory: SharedMemory }>>()
  #methods = 0

  constructor(heap: SqliteHeap) {
    this.#heap = heap
  }

  /** From now on `name/...` are files of this machine. */
  mount(name: string, machine: Machine): void {
    this.#machines.set(name, machine)
  }

  /** Makes the sqlite3_vfs in SQLite's heap and returns where it is. */
  install(name: string): number {
    const { _malloc: allocate } = this.#heap
    this.#methods = this.#fileMethods()
    const title = allocate(name.length + 1)
    this.#heap.HEAPU8.set(new TextEncoder().encode(`${name}\0`), title)
    const vfs = allocate(22 * 4)
    const fields = [2, 8, 512, 0, title, 0, ...this.#systemMethods()]
    this.#heap.HEAP32.set(fields, vfs / 4)
    return vfs
  }

  #systemMethods(): number[] {
    const add = (signature: string, work: (...given: never[]) => number): number => this.#heap.addFunction(work, signature)
    return [
      add('iiiiii', (_vfs: number, name: number, file: number, flags: number, out: number) => this.#openFile({ name, file, flags, out })),
      add('iiii', (_vfs: number, name: number) => this.#onFile(name, ({ machine, path }) => machine.disk.remove(path))),
      add('iiiii', (_vfs: number, name: number, _flags: number, out: number) => this.#exists(name, out)),
      add('iiiii', (_vfs: number, name: number, size: number, out: number) => this.#copyName(name, size, out)),
      0,
      0,
      0,
      0,
      add('iiii', (_vfs: number, size: number, out: number) => {
        this.#heap.HEAPU8.set(crypto.getRandomValues(new Uint8Array(size)), out)
        return size
      }),
      add('iii', () => 0),
      add('iii', (_vfs: number, out: number) => {
        new DataView(this.#heap.HEAPU8.buffer).setFloat64(out, (Date.now() + Number(JULIAN)) / 86_400_000, true)
        return codes.ok
      }),
      add('iiii', () => codes.ok),
      add('iii', (_vfs: number, out: number) => {
        this.#number64(out, BigInt(Date.now()) + JULIAN)
        return codes.ok
      }),
    ]
  }

  #fileMethods(): number {
    const add = (signature: string, work: (...given: never[]) => number): number => this.#heap.addFunction(work, signature)
    const on =
      (work: (open: OpenFile, ...given: never[]) => number | void) =>
      (file: number, ...given: never[]): number =>
        this.#guarded(file, (open) => work(open, ...given))
    const fields = [
      2,
      add('ii', (file: number) => this.#close(file)),
      add(
        'iiiij',
        on((open, data: number, size: number, offset: bigint) => this.#read(open, { data, size, offset })),
      ),
      add(
        'iiiij',
        on((open, data: number, size: number, offset: bigint) => open.file.write(this.#bytes(data, size), Number(offset))),
      ),
      add(
        'iij',
        on((open, size: bigint) => open.file.truncate(Number(size))),
      ),
      add(
        'iii',
        on((open) => open.file.sync()),
      ),
      add(
        'iii',
        on((open, out: number) => this.#number64(out, BigInt(open.file.size))),
      ),
      add('iii', (file: number, level: number) => this.#guarded(file, ({ locks }) => (locks.raise(file, level) ? codes.ok : codes.busy))),
      add('iii', (file: number, level: number) => this.#lower(file, level)),
      add(
        'iii',
        on(({ locks }, out: number) => this.#number32(out, locks.isReserved() ? 1 : 0)),
      ),
      add('iiii', () => codes.notFound),
      add('ii', () => 4096),
      // As for SQLite on any file system: what lies beside a write survives a power cut.
      add('ii', () => 0x1000),
      add('iiiiii', (file: number, index: number, size: number, extend: number, out: number) =>
        this.#guarded(file, ({ memory }) => this.#number32(out, memory.region(file, { index, size, extend: extend !== 0 }))),
      ),
      add('iiiii', (file: number, slot: number, count: number, flags: number) =>
        this.#guarded(file, ({ memory }) => (memory.lock(file, { slot, count, flags }) ? codes.ok : codes.busy)),
      ),
      add('vi', () => 0),
      add('iii', (file: number) => this.#guarded(file, ({ memory }) => memory.forget(file))),
    ]
    const methods = this.#heap._malloc(fields.length * 4)
    this.#heap.HEAP32.set(fields, methods / 4)
    return methods
  }

  #openFile({ name, file, flags, out }: { name: number; file: number; flags: number; out: number }): number {
    this.#number32(file, 0)
    // SQLite names no temporary file here: statements spill into memory (temp_store).
    if (name === 0) return codes.cantOpen
    return this.#onFile(name, ({ machine, path }) => {
      const found = flags & OPEN_CREATE ? machine.disk.make(path) : machine.disk.find(path)
      if (!found) return codes.cantOpen
      const deleteOnClose = (flags & OPEN_DELETE_ON_CLOSE) !== 0
      this.#open.set(file, { machine, name: path, file: found, ...this.#sharedOf(machine, path), deleteOnClose })
      this.#number32(file, this.#methods)
      if (out !== 0) this.#number32(out, flags)
      return codes.ok
    })
  }

  #sharedOf(machine: Machine, path: string): { locks: Locks; memory: SharedMemory } {
    const ofMachine = this.#shared.get(machine) ?? new Map<string, { locks: Locks; memory: SharedMemory }>()
    this.#shared.set(machine, ofMachine)
    const known = ofMachine.get(path)
    if (known) return known
    const made = { locks: new Locks(), memory: new SharedMemory((size) => this.#zeroed(size)) }
    ofMachine.set(path, made)
    return made
  }

  #close(file: number): number {
    const open = this.#open.get(file)
    this.#open.delete(file)
    if (!open) return codes.ok
    open.locks.lower(file, 0)
    open.memory.forget(file)
    if (open.deleteOnClose && !open.machine.stopped) open.machine.disk.remove(open.name)
    return codes.ok
  }

  #lower(file: number, level: number): number {
    this.#open.get(file)?.locks.lower(file, level)
    return codes.ok
  }

  #read({ file }: OpenFile, { data, size, offset }: { data: number; size: number; offset: bigint }): number {
    return file.read(this.#bytes(data, size), Number(offset)) === size ? codes.ok : codes.shortRead
  }

  #exists(name: number, out: number): number {
    return this.#onFile(name, ({ machine, path }) => this.#number32(out, (machine.disk.find(path)?.size ?? 0) > 0 ? 1 : 0))
  }

  #copyName(name: number, size: number, out: number): number {
    const bytes = new TextEncoder().encode(`${this.#heap.UTF8ToString(name)}\0`)
    if (bytes.length > size) return codes.cantOpen
    this.#heap.HEAPU8.set(bytes, out)
    return codes.ok
  }

  #onFile(name: number, work: (at: { machine: Machine; path: string }) => number | void): number {
    const [title = '', ...rest] = this.#heap.UTF8ToString(name).split('/')
    const machine = this.#machines.get(title)
    if (!machine || machine.stopped) return codes.ioerr
    return attempt(() => work({ machine, path: rest.join('/') }))
  }

  #guarded(file: number, work: (open: OpenFile) => number | void): number {
    const open = this.#open.get(file)
    if (!open || open.machine.stopped) return codes.ioerr
    const result = attempt(() => work(open))
    // The machine may have stopped in the middle of it.
    return open.machine.stopped ? codes.ioerr : result
  }

  #zeroed(size: number): number {
    const at = this.#heap._malloc(size)
    this.#heap.HEAPU8.fill(0, at, at + size)
    return at
  }

  #bytes(at: number, size: number): Uint8Array {
    return this.#heap.HEAPU8.subarray(at, at + size)
  }

  #number32(at: number, value: number): void {
    this.#heap.HEAP32[at >> 2] = value
  }

  #number64(at: number, value: bigint): void {
    new DataView(this.#heap.HEAPU8.buffer).setBigInt64(at, value, true)
  }
}

/** An exception must never fly through SQLite's own frames. */
function attempt(work: () => number | void): number {
  try {
    return work() ?? codes.ok
  } catch (error) {
    if (error instanceof DiskError) return error.kind === 'full' ? codes.full : codes.ioerr
    return codes.ioerr
  }
}
