/**
 * SQLite compiled to WebAssembly, on simulated disks: real SQL, real write-ahead log, real recovery. Every call is
 * synchronous and looks like the parts of `node:sqlite` that the product uses, so its own code runs on it unchanged.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SimulatedDatabase, type SqliteCalls } from './sqlite-database.ts'
import { withRoomInTable } from './table-room.ts'
import { SimulatedVfs, type Machine, type SqliteHeap } from './sqlite-vfs.ts'

type Heap = SqliteHeap & SqliteCalls

interface Loading {
  /** Emscripten hands over what the program needs, and takes the running instance. */
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): WebAssembly.Exports
}

const PACKAGE = '@journeyapps/wa-sqlite/dist/wa-sqlite'

let compiled: WebAssembly.Module | undefined

const program = (): WebAssembly.Module =>
  (compiled ??= new WebAssembly.Module(withRoomInTable(readFileSync(fileURLToPath(import.meta.resolve(`${PACKAGE}.wasm`))))))

export class SqliteEngine {
  readonly #heap: Heap
  readonly #vfs: SimulatedVfs

  private constructor(heap: Heap) {
    this.#heap = heap
    this.#vfs = new SimulatedVfs(heap)
    heap._sqlite3_vfs_register(this.#vfs.install('simulated'), 1)
  }

  /** A heap of its own: everything that was opened on it goes with it. */
  static async start(): Promise<SqliteEngine> {
    // The package has no types for its program.
    const { default: create }: { default: (loading: Loading) => Promise<Heap> } = await import(`${PACKAGE}.mjs`)
    const heap = await create({
      instantiateWasm(imports, done) {
        const instance = new WebAssembly.Instance(program(), imports)
        done(instance)
        return instance.exports
      },
    })
    return new SqliteEngine(heap)
  }

  mount(name: string, machine: Machine): void {
    this.#vfs.mount(name, machine)
  }

  /** Opens `machine/file`. Throws like `node:sqlite`, with `errcode`. */
  open(path: string): SimulatedDatabase {
    return new SimulatedDatabase(this.#heap, path)
  }
}
