/** One simulated world: the real server and the real devices of some people, from the template, on one scheduler. */
import { SimulatedDisk } from '../disk/disk.ts'
import { SqliteEngine } from '../disk/sqlite-engine.ts'
import { Dice } from './dice.ts'
import type { Loop } from './loop.ts'
import { beginWorld } from './platform.ts'
import { Recorder, type Offer } from './recorder.ts'
import { SimDevice } from './sim-device.ts'
import { SimServer } from './sim-server.ts'
import type { Template, TemplateDevice } from './template.ts'

export interface Person {
  readonly handle: string
  /** Those that are theirs now. */
  readonly devices: SimDevice[]
}

export interface SimWorld {
  readonly dice: Dice
  readonly loop: Loop
  readonly engine: SqliteEngine
  readonly server: SimServer
  readonly people: readonly Person[]
  /** All that are somebody's now. */
  readonly devices: SimDevice[]
  /** A new one, with nothing on it, for somebody. */
  newDevice(person: Person): SimDevice
  /** The device to which the server lies, if it lies. */
  readonly victim: SimDevice | undefined
  readonly recorder: Recorder
  /** What went wrong beyond what the history shows. */
  readonly findings: Finding[]
  /** What happened, for whoever follows a run. */
  readonly trace: (what: string) => void
}

/** `id`: the invariant (security-reliability section 6.6), or `fault` for a program that broke. */
export interface Finding {
  readonly id: string
  readonly says: string
}

/** A world of the template's first people. `seed` alone decides what will happen in it. */
export async function openSimWorld(made: {
  template: Template
  seed: number
  mallory: boolean
  trace: (what: string) => void
}): Promise<SimWorld> {
  const { template, seed, mallory, trace } = made
  const dice = new Dice(`world ${seed}`)
  const loop = beginWorld({ now: template.now + 1000, dice })
  const engine = await SqliteEngine.start()
  const findings: Finding[] = []
  const server = new SimServer({
    loop,
    engine,
    disk: SimulatedDisk.holding(template.server),
    secrets: template.secrets,
    dice: dice.named('server'),
    log: (event, fields) => {
      if (event === 'fault') trace(`server fault ${JSON.stringify(fields)}`)
    },
  })
  const recorder = new Recorder({
    loop,
    inLog: (offer) => hashInLog({ engine, server }, offer),
    reused: (says) => findings.push({ id: 'D-14', says }),
  })
  const handles = [...new Set(template.devices.map(({ handle }) => handle))].slice(0, dice.between(2, 4))
  const open = ({ name, image, device, account }: TemplateDevice): SimDevice => {
    const disk = SimulatedDisk.holding(image)
    return new SimDevice({ name, device, account, loop, engine, disk, dice: dice.named(name), recorder, server: () => server.current() })
  }
  // Somebody's second device may lie in a drawer all the time.
  const people = handles.map((handle) => ({
    handle,
    devices: template.devices
      .filter((one, at, all) => one.handle === handle && (all[at - 1]?.handle !== handle || dice.onceIn(2)))
      .map(open),
  }))
  const devices = people.flatMap((person) => person.devices)
  let newcomers = 0
  const newDevice = (person: Person): SimDevice => {
    const name = `${person.handle}${10 + (newcomers += 1)}`
    const disk = new SimulatedDisk()
    const device = new SimDevice({ name, loop, engine, disk, dice: dice.named(name), recorder, server: () => server.current() })
    person.devices.push(device)
    devices.push(device)
    return device
  }
  const victim = mallory ? dice.named('mallory').pick(devices) : undefined
  return { dice, loop, engine, server, people, devices, newDevice, victim, recorder, findings, trace }
}

/** Read past the server, on a connection of our own. */
function hashInLog(
  { engine, server }: Pick<SimWorld, 'engine' | 'server'>,
  offer: Offer & { readonly device: string },
): string | undefined {
  const running = server.current()
  if (!running || offer.client_seq === undefined) return undefined
  const database = engine.open(`${running.process.name}/tacit.sqlite`)
  const sql = 'SELECT hash FROM entry WHERE conversation = ? AND sender = ? AND client_seq = ?'
  const hash = database.prepare(sql).get(offer.conv, offer.device, offer.client_seq)?.['hash']
  database.close()
  return hash instanceof Uint8Array ? Buffer.from(hash).toString('hex') : undefined
}
