/** The real server on a simulated machine: its rooms and doors as they are, its database on a simulated disk. It can be killed anywhere. */
import { openHouse, openSqlite, settingsWith, type Log, type OpenSqlite, type Premises, type Secrets } from '@tacit/server'
import { Refusal, toBase64Url } from '@tacit/contract'
import type { SimulatedDisk } from '../disk/disk.ts'
import type { SqliteEngine } from '../disk/sqlite-engine.ts'
import type { Dice } from './dice.ts'
import { orKilled, Process, type Loop } from './loop.ts'
import type { RunningServer } from './sim-network.ts'

export const SERVER_URL = 'http://sim.example'

const SETTINGS = settingsWith({
  dataDir: ':memory:',
  publicUrl: SERVER_URL,
  metricsPort: 0,
  logLevel: 'silent',
  limitsFactor: 1000,
  drainSeconds: 5,
  webRoot: '/nowhere',
})

/** Milliseconds that a stop may take. */
const LONGEST_STOP = 30_000

/** Less room than this on its disk, and the server refuses newcomers. */
const SHORT_OF_SPACE = 256 * 1024

export interface SimServerParts {
  readonly loop: Loop
  readonly engine: SqliteEngine
  readonly disk: SimulatedDisk
  readonly secrets: Secrets
  readonly dice: Dice
  readonly log: Log
}

export class SimServer {
  readonly #parts: SimServerParts
  /** Milliseconds by which its clock is wrong. */
  clockAhead = 0
  #running: RunningServer | undefined
  #starts = 0

  constructor(parts: SimServerParts) {
    this.#parts = parts
  }

  get disk(): SimulatedDisk {
    return this.#parts.disk
  }

  /** How often it has started. */
  get starts(): number {
    return this.#starts
  }

  current(): RunningServer | undefined {
    return this.#running?.process.alive ? this.#running : undefined
  }

  /** Starts on what its disk holds, in no time. Rejects when the server refuses to start, or dies of it. */
  async start(): Promise<void> {
    const { loop, engine, disk, dice, log } = this.#parts
    const name = `server-${++this.#starts}`
    const process = new Process(name, dice.named(name))
    engine.mount(name, {
      disk,
      get stopped() {
        return !process.alive
      },
    })
    const open: OpenSqlite = (file) => engine.open(file)
    const house = await loop.complete(process, async () => {
      const database = await openSqlite({ path: `${name}/tacit.sqlite`, open })
      const premises: Premises = {
        database,
        secrets: this.#parts.secrets,
        space: spaceOn(disk),
        [Symbol.asyncDispose]: () => database.close(),
      }
      const bytes = (length: number) => process.dice.bytes(length)
      const random = { bytes, id: () => toBase64Url(bytes(16)) }
      return openHouse(SETTINGS, { clock: { now: () => loop.now() + this.clockAhead }, random, log, premises })
    })
    if (process.alive) this.#running = { house, process }
  }

  /** Nothing of it goes on. What was written and not synced stays visible: the operating system lives. */
  kill(): void {
    this.#running?.process.kill()
  }

  /** The machine goes off, and the disk loses what it had not stored. */
  cutPower(): void {
    this.kill()
    this.#parts.disk.cutPower(this.#parts.dice)
  }

  /** Ends as a program ends that was asked to. */
  async stop(): Promise<void> {
    const { loop } = this.#parts
    const running = this.current()
    if (!running) return
    const { process, house } = running
    loop.after(LONGEST_STOP, () => process.kill(), process)
    await orKilled(
      process,
      loop.within(process, () => house.close()),
    ).catch(() => undefined)
    process.kill()
  }
}

function spaceOn(disk: SimulatedDisk): Premises['space'] {
  const isShort = (): boolean => disk.capacity - disk.used < SHORT_OF_SPACE
  return {
    isShort,
    assertRoom() {
      if (isShort()) throw new Refusal('storage_full')
    },
    look: () => Promise.resolve(),
  }
}
