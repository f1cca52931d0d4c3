/** A real device - the whole SDK - on a simulated machine: its store on a simulated disk, behind a simulated cable. */
import type { Network } from '@tacit/sdk'
import { openDevice, openStoreOn, type NodeDevice, type StoreDriver, type Writer } from '@tacit/sdk/node'
import { SimulatedDisk } from '../disk/disk.ts'
import type { SimulatedDatabase } from '../disk/sqlite-database.ts'
import type { SqliteEngine } from '../disk/sqlite-engine.ts'
import type { Dice } from './dice.ts'
import { orKilled, Process, type Loop } from './loop.ts'
import type { Recorder } from './recorder.ts'
import { Cable, SimNetwork, type RunningServer, type Tap } from './sim-network.ts'
import { SERVER_URL } from './sim-server.ts'

export interface SimDeviceParts {
  readonly name: string
  /** Whose it is; not known before somebody has signed in. */
  readonly device?: string
  readonly account?: string
  readonly loop: Loop
  readonly engine: SqliteEngine
  readonly disk: SimulatedDisk
  readonly dice: Dice
  readonly server: () => RunningServer | undefined
  /** Undefined while nobody writes a history. */
  readonly recorder: Recorder | undefined
  /** What stands between the device and its network, at each start. */
  readonly between?: (network: Network) => Network
}

export class SimDevice {
  readonly name: string
  readonly cable = new Cable()
  readonly #parts: SimDeviceParts
  #disk: SimulatedDisk
  #process: Process | undefined
  #messenger: NodeDevice | undefined
  #database: SimulatedDatabase | undefined
  #starts = 0
  /** Whose device it is, once it is signed in. */
  device: string
  account: string
  /** The store was once replaced by an older copy: what was written since is not on it. */
  wentBack = false
  /** How often its process was killed. */
  deaths = 0
  /** Milliseconds by which its clock is wrong. */
  clockAhead = 0
  /** The server lies to it. */
  deceived = false
  /** What a lying server makes of the bytes that the device hears. */
  forge: (bytes: Uint8Array) => Uint8Array | undefined = (bytes) => bytes

  constructor(parts: SimDeviceParts) {
    this.name = parts.name
    this.#parts = parts
    this.#disk = parts.disk
    this.device = parts.device ?? ''
    this.account = parts.account ?? ''
  }

  get disk(): SimulatedDisk {
    return this.#disk
  }

  get isRunning(): boolean {
    return this.#process?.alive === true && this.#messenger !== undefined
  }

  /** Where the device runs now. */
  get process(): Process | undefined {
    return this.#process
  }

  /** The device's own database, to look at. */
  get database(): SimulatedDatabase | undefined {
    return this.isRunning ? this.#database : undefined
  }

  /** The messenger that runs. Throws when none does. */
  get messenger(): NodeDevice {
    if (!this.#messenger || !this.isRunning) throw new Error(`${this.name} does not run`)
    return this.#messenger
  }

  /** Rejects when the program cannot start on what the disk holds. */
  async start(): Promise<void> {
    const { loop, engine, dice, server, recorder } = this.#parts
    const name = `${this.name}-${++this.#starts}`
    const process = new Process(name, dice.named(name))
    this.#process = process
    this.#messenger = undefined
    engine.mount(name, {
      disk: this.#disk,
      get stopped() {
        return !process.alive
      },
    })
    const database = engine.open(`${name}/device.db`)
    this.#database = database
    const isUnsound = (): boolean => this.deceived || this.wentBack
    const device = (): string => this.#known().device
    const account = (): string => this.#known().account
    const who = {
      isUnsound,
      wentBack: () => this.wentBack,
      mayPassOver: () => this.mayPassOver(),
      name: this.name,
      get device() {
        return device()
      },
      get account() {
        return account()
      },
      proc: name,
      database: () => (process.alive && database.isOpen ? database : undefined),
    }
    const tap = this.#forged(recorder?.tap(who) ?? SILENT)
    const cabled = new SimNetwork({ loop, dice: process.dice.named('network'), cable: this.cable, process, server, tap })
    const network = this.#parts.between?.(cabled) ?? cabled
    const random = { bytes: (length: number) => process.dice.bytes(length), fraction: () => process.dice.fraction() }
    const clock = { now: () => loop.now() + this.clockAhead, after: (delay: number, work: () => void) => loop.after(delay, work, process) }
    const messenger = await loop.complete(process, () => {
      const store = openStoreOn({ open: () => database, erase: () => undefined })
      const observed = new ObservedStore({ store, process, committed: () => recorder?.committed(who) })
      return openDevice({ server: SERVER_URL, store: observed, network, clock, random })
    })
    this.#messenger = messenger
  }

  /** Whose device it is, now that somebody has signed in. */
  noteSelf(): void {
    const session = this.isRunning ? this.messenger.watch('session').get() : undefined
    if (session?.kind === 'signed_in') [this.device, this.account] = [session.device, session.me.account]
  }

  #known(): { readonly device: string; readonly account: string } {
    if (this.device === '') this.noteSelf()
    return this
  }

  /** Everything on it is lost: from now on it is nobody's, and another device once somebody signs in. */
  evict(): void {
    this.kill()
    this.#disk = new SimulatedDisk()
    this.device = ''
    this.deaths = 0
    this.wentBack = false
  }

  kill(): void {
    if (this.#process?.alive) this.deaths += 1
    this.#process?.kill()
  }

  cutPower(): void {
    this.kill()
    this.#disk.cutPower(this.#parts.dice)
  }

  /** The store becomes what it was when somebody copied it. */
  goBack(image: ReadonlyMap<string, Uint8Array>): void {
    this.kill()
    this.wentBack = true
    this.#disk = SimulatedDisk.holding(image)
  }

  #forged(tap: Tap): Tap {
    return {
      ...tap,
      socket: () => {
        const socket = tap.socket()
        const received = (bytes: Uint8Array): Uint8Array | undefined => {
          const heard = socket.received(bytes)
          return heard && this.forge(heard)
        }
        return { ...socket, received }
      },
    }
  }

  /** Does something with the messenger, as its process. */
  act<T>(work: (messenger: NodeDevice) => Promise<T>): Promise<T> {
    const { process } = this
    if (!process) return Promise.reject(new Error(`${this.name} does not run`))
    return this.#parts.loop.within(process, () => work(this.messenger))
  }

  /** Whether it died often enough to take an honest entry for a deadly one (D-17). */
  mayPassOver(): boolean {
    return this.deaths >= 2
  }

  /** Ends as a program ends that was asked to. */
  async stop(): Promise<void> {
    const { process } = this
    if (!process || !this.isRunning) return
    await orKilled(
      process,
      this.#parts.loop.within(process, () => this.messenger.close()),
    ).catch(() => undefined)
    process.kill()
  }
}

const SILENT = {
  socket: () => ({ sent: () => undefined, received: (bytes: Uint8Array) => bytes, ended: () => undefined }),
  answered: (_url: string, body: string) => body,
}

/** A store whose transactions are heard of, and that never answers a process that is dead. */
class ObservedStore implements StoreDriver {
  readonly #store: StoreDriver
  readonly #process: Process
  readonly #committed: () => void

  constructor({ store, process, committed }: { store: StoreDriver; process: Process; committed: () => void }) {
    this.#store = store
    this.#process = process
    this.#committed = committed
  }

  all(...given: Parameters<StoreDriver['all']>) {
    return this.#alive(this.#store.all(...given))
  }

  get(...given: Parameters<StoreDriver['get']>) {
    return this.#alive(this.#store.get(...given))
  }

  async transaction<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    const result = await this.#alive(this.#store.transaction(work))
    this.#committed()
    return result
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  wipe(): Promise<void> {
    return this.#store.wipe()
  }

  /** Nothing that waits for a dead process goes on. */
  #alive<T>(work: Promise<T>): Promise<T> {
    const never = (): Promise<never> => new Promise(() => undefined)
    return work.then(
      (value) => (this.#process.alive ? value : never()),
      (error: unknown) => (this.#process.alive ? Promise.reject(error) : never()),
    )
  }
}
