/**
 * The same in one process: the real server and the real devices on simulated disks and roads, in virtual time. Everything that
 * happens follows from the seed. Only for processes that have loaded `../sim/platform.ts` first.
 */
import type { Entry } from '@tacit/contract'
import { SimulatedDisk } from '../disk/disk.ts'
import { SqliteEngine } from '../disk/sqlite-engine.ts'
import { Dice } from '../sim/dice.ts'
import { runningProcess, type Loop } from '../sim/loop.ts'
import { beginWorld } from '../sim/platform.ts'
import { SimDevice } from '../sim/sim-device.ts'
import { SERVER_URL, SimServer } from '../sim/sim-server.ts'
import { PASSWORD, type Template, type TemplateDevice } from '../sim/template.ts'
import { Weather } from '../weather.ts'
import { MalloryLog } from './key-log.ts'
import type { Outcome } from './row.ts'
import { entryOf, selfOf } from './rows-of-databases.ts'
import type { Cast, Stage, Victim } from './stage.ts'

/** Everybody who plays, with one device. */
export const CAST = (['alice', 'bob', 'carol', 'mallory'] as const).map((name) => [name, 1] as const)

/** A play that takes longer has come to a stop, in virtual milliseconds. */
const LONGEST = 600_000

/** Opens a world of the template's people, plays in it, and lets it end. */
export async function playSimulated(
  { template, seed }: { template: Template; seed: string },
  play: (stage: Stage) => Promise<Outcome>,
): Promise<Outcome> {
  const dice = new Dice(seed)
  const loop = beginWorld({ now: template.now + 1000, dice })
  const world = new SimulatedWorld({ template, loop, dice, engine: await SqliteEngine.start() })
  const broken: unknown[] = []
  const hear = (error: unknown): void => {
    if (runningProcess()?.alive !== false) broken.push(error)
  }
  process.on('unhandledRejection', hear)
  try {
    const outcome = await played(
      loop,
      world.start().then(() => play(world.stage)),
    )
    if (broken.length === 0) return outcome
    const [error] = broken
    return { kind: 'succeeded', says: `a program broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` }
  } finally {
    process.off('unhandledRejection', hear)
    world.end()
  }
}

/** Lets the world go on until the play is over. */
async function played(loop: Loop, play: Promise<Outcome>): Promise<Outcome> {
  const end: { outcome?: Outcome; error?: unknown } = {}
  play.then(
    (outcome) => (end.outcome = outcome),
    (error: unknown) => (end.error = error ?? new Error('no reason')),
  )
  await loop.run({ done: () => 'outcome' in end || 'error' in end, latest: loop.now() + LONGEST })
  if (end.outcome) return end.outcome
  throw end.error ?? new Error('the play did not come to its end')
}

class SimulatedWorld {
  readonly stage: Stage
  readonly #template: Template
  readonly #loop: Loop
  readonly #engine: SqliteEngine
  readonly #server: SimServer
  readonly #dice: Dice
  readonly #people = new Map<Cast, Promise<Victim>>()
  readonly #devices: SimDevice[] = []

  constructor({ template, loop, dice, engine }: { template: Template; loop: Loop; dice: Dice; engine: SqliteEngine }) {
    this.#template = template
    this.#loop = loop
    this.#engine = engine
    this.#dice = dice
    const disk = SimulatedDisk.holding(template.server)
    this.#server = new SimServer({ loop, engine, disk, secrets: template.secrets, dice: dice.named('server'), log: () => undefined })
    this.stage = {
      dice: dice.named('plot'),
      url: SERVER_URL,
      isVirtual: true,
      person: (name) => this.#person(name),
      emptyDevice: () => this.#open({ name: `nobody${this.#devices.length}`, handle: 'nobody' }),
      secondDevice: (name) => this.#newcomer(name),
      log: async (conversation) => this.#log(conversation),
      secondKeyLog: () => this.#secondKeyLog(),
      pass: (milliseconds) => new Promise((resolve) => void loop.after(milliseconds, resolve, 'nobody')),
    }
  }

  start(): Promise<void> {
    return this.#server.start()
  }

  end(): void {
    for (const device of this.#devices) device.process?.kill()
    this.#server.kill()
  }

  #person(name: Cast): Promise<Victim> {
    const found = this.#template.devices.find(({ handle }) => handle === name)
    const known = this.#people.get(name) ?? this.#open({ name: `${name}1`, handle: name, ...(found && { known: found }) })
    this.#people.set(name, known)
    return known
  }

  async #newcomer(name: Cast): Promise<Victim> {
    const victim = await this.#open({ name: `${name}${this.#devices.length + 2}`, handle: name })
    await victim.as((messenger) => messenger.signIn({ handle: name, password: PASSWORD }))
    return victim
  }

  async #open({ name, handle, known }: { name: string; handle: string; known?: TemplateDevice }): Promise<Victim> {
    const weather = new Weather()
    const device = new SimDevice({
      name,
      loop: this.#loop,
      engine: this.#engine,
      disk: known ? SimulatedDisk.holding(known.image) : new SimulatedDisk(),
      dice: this.#dice.named(name),
      recorder: undefined,
      server: () => this.#server.current(),
      between: (network) => weather.over(network),
    })
    this.#devices.push(device)
    await device.start()
    return new SimulatedVictim({ device, weather, handle, loop: this.#loop })
  }

  #log(conversation: string): readonly Entry[] {
    const database = this.#engine.open(`${this.#server.current()?.process.name}/tacit.sqlite`)
    const rows = database.look('SELECT * FROM entry WHERE conversation = ? ORDER BY seq').all(conversation)
    database.close()
    return rows.map(entryOf)
  }

  #secondKeyLog(): Promise<MalloryLog> {
    const ask = async (url: string): Promise<unknown> => {
      const running = this.#server.current()
      if (!running) throw new Error('the server does not run')
      return (
        await this.#loop.within(running.process, () => running.house.http.inject({ url, headers: { host: new URL(SERVER_URL).host } }))
      ).json()
    }
    return MalloryLog.copy({ seed: this.#template.secrets.derive('transparency key', ''), ask })
  }
}

class SimulatedVictim implements Victim {
  readonly handle: string
  readonly weather: Weather
  readonly #device: SimDevice
  readonly #loop: Loop

  constructor({ device, weather, handle, loop }: { device: SimDevice; weather: Weather; handle: string; loop: Loop }) {
    this.handle = handle
    this.weather = weather
    this.#device = device
    this.#loop = loop
  }

  get account(): Victim['account'] {
    return selfOf(this.messenger).account
  }

  get device(): Victim['device'] {
    return selfOf(this.messenger).device
  }

  get messenger(): Victim['messenger'] {
    return this.#device.messenger
  }

  as<T>(work: (messenger: Victim['messenger']) => T): T {
    const { process } = this.#device
    if (!process) throw new Error(`${this.handle} does not run`)
    return this.#loop.within(process, () => work(this.messenger))
  }

  async look(...[sql, ...values]: Parameters<Victim['look']>) {
    return this.#device.database?.look(sql).all(...values) ?? []
  }

  async tamper(...[sql, ...values]: Parameters<Victim['tamper']>) {
    this.#device.database?.look(sql).run(...values)
  }

  async copyStore(): Promise<() => Promise<void>> {
    await this.#device.stop()
    const image = this.#device.disk.snapshot()
    await this.#device.start()
    return async () => {
      await this.#device.stop()
      this.#device.goBack(image)
      await this.#device.start()
    }
  }
}
