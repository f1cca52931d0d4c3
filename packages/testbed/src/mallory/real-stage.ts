/** The real thing: a server on a port, devices over HTTP and WebSockets, time as it is. People sign up anew for each run. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Entry } from '@tacit/contract'
import { openDevice, openNodeStore, type NodeDevice } from '@tacit/sdk/node'
import { MalloryLog } from './key-log.ts'
import { Dice } from '../sim/dice.ts'
import { Weather } from '../weather.ts'
import { openWorld, PASSWORD, type World } from '../world.ts'
import { entryOf, selfOf } from './rows-of-databases.ts'
import type { Cast, Stage, Victim } from './stage.ts'

export interface RealTheatre extends AsyncDisposable {
  /** Another run on the same server, with other people. */
  stage(seed: string): Promise<Stage & AsyncDisposable>
}

export async function openRealTheatre(): Promise<RealTheatre> {
  const world = await openWorld()
  const folder = await mkdtemp(join(tmpdir(), 'tacit-mallory-'))
  let runs = 0
  return {
    stage: async (seed) => openStage({ world, folder, run: (runs += 1), dice: new Dice(seed) }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function openStage(made: { world: World; folder: string; run: number; dice: Dice }): Promise<Stage & AsyncDisposable> {
  const { world, folder, run, dice } = made
  const held = new AsyncDisposableStack()
  const people = new Map<Cast, Promise<Victim>>()
  const handleOf = (name: Cast): string => `${name}${run}`
  let devices = 0
  const empty = async (name: string): Promise<RealVictim> => {
    const path = join(folder, `${name}-${run}-${(devices += 1)}.db`)
    const device = new RealVictim({ url: world.url, path, handle: name })
    held.use(device)
    await device.open()
    return device
  }
  const open = async (name: Cast, how: 'signUp' | 'signIn'): Promise<Victim> => {
    const device = await empty(handleOf(name))
    await device.as((messenger) => messenger[how]({ handle: handleOf(name), password: PASSWORD }))
    return device
  }
  const person = (name: Cast): Promise<Victim> => {
    const known = people.get(name) ?? open(name, 'signUp')
    people.set(name, known)
    return known
  }
  return {
    dice,
    url: world.url,
    isVirtual: false,
    person,
    emptyDevice: () => empty('nobody'),
    // Nobody has an account here who was not called before.
    secondDevice: async (name) => {
      await person(name)
      return open(name, 'signIn')
    },
    log: async (conversation) => logIn(join(world.dataFolder, 'tacit.sqlite'), conversation),
    secondKeyLog: () => MalloryLog.copyOf({ folder: world.dataFolder, url: world.url }),
    pass: (milliseconds) => pause(milliseconds),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function logIn(path: string, conversation: string): readonly Entry[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database.prepare('SELECT * FROM entry WHERE conversation = ? ORDER BY seq').all(conversation)
  database.close()
  return rows.map(entryOf)
}

class RealVictim implements Victim, AsyncDisposable {
  readonly handle: string
  readonly weather = new Weather()
  readonly #url: string
  readonly #path: string
  #messenger: NodeDevice | undefined
  #store: Awaited<ReturnType<typeof openNodeStore>> | undefined

  constructor({ url, path, handle }: { url: string; path: string; handle: string }) {
    this.handle = handle
    this.#url = url
    this.#path = path
  }

  async open(): Promise<void> {
    this.#store = await openNodeStore({ path: this.#path })
    this.#messenger = await openDevice({ server: this.#url, store: this.#store, network: this.weather })
  }

  get account(): Victim['account'] {
    return selfOf(this.messenger).account
  }

  get device(): Victim['device'] {
    return selfOf(this.messenger).device
  }

  get messenger(): NodeDevice {
    if (!this.#messenger) throw new Error(`${this.handle} does not run`)
    return this.#messenger
  }

  as<T>(work: (messenger: NodeDevice) => T): T {
    return work(this.messenger)
  }

  async look(...[sql, ...values]: Parameters<Victim['look']>) {
    return (await this.#store?.all(sql, values)) ?? []
  }

  async tamper(...[sql, ...values]: Parameters<Victim['tamper']>) {
    await this.#store?.transaction((writer) => writer.run(sql, values))
  }

  async copyStore(): Promise<() => Promise<void>> {
    const copy = `${this.#path}.copy`
    await this.#away(() => copyFile(this.#path, copy))
    return () => this.#away(() => copyFile(copy, this.#path))
  }

  async #away(work: () => Promise<void>): Promise<void> {
    await this.#messenger?.close()
    await work()
    await this.open()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messenger?.close()
  }
}
