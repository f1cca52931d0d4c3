/** One simulated world: the real server and the real devices of some people, from the template, on one scheduler. */
import { SimulatedDisk } from '../disk/disk.ts'
import { SqliteEngine } from '../disk/sqlite-engine.ts'
import { Dice } from './dice.ts'
import type { Loop } from './loop.ts'
import { beginWorld } from './platform.ts'
import { Recorder } from './recorder.ts'
import { SimDevice } from './sim-device.ts'
import { SimServer } from './sim-server.ts'
import type { Template } from './template.ts'

export interface Person {
  readonly handle: string
  readonly devices: readonly SimDevice[]
}

export interface SimWorld {
  readonly dice: Dice
  readonly loop: Loop
  readonly engine: SqliteEngine
  readonly server: SimServer
  readonly people: readonly Person[]
  readonly devices: readonly SimDevice[]
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
export async function openSimWorld(made: { template: Template; seed: number; trace: (what: string) => void }): Promise<SimWorld> {
  const { template, seed, trace } = made
  const dice = new Dice(`world ${seed}`)
  const loop = beginWorld({ now: template.now + 1000, dice })
  const engine = await SqliteEngine.start()
  const recorder = new Recorder(loop)
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
  const handles = [...new Set(template.devices.map(({ handle }) => handle))].slice(0, dice.between(2, 4))
  const people = handles.map((handle) => ({
    handle,
    devices: template.devices
      .filter((device) => device.handle === handle)
      .map(({ name, image, device, account }) => {
        const disk = SimulatedDisk.holding(image)
        const opened = new SimDevice({ name, loop, engine, disk, dice: dice.named(name), recorder, server: () => server.current() })
        Object.assign(opened, { device, account })
        return opened
      }),
  }))
  return { dice, loop, engine, server, people, devices: people.flatMap(({ devices }) => devices), recorder, findings, trace }
}
