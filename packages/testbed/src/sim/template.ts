/**
 * Where every simulated world begins: some people have signed up, some with a second device, and nobody has said anything.
 * Made once per JavaScript process with the real sign-up, then copied disk by disk.
 */
import { openSecrets, type Secrets } from '@tacit/server'
import { SimulatedDisk } from '../disk/disk.ts'
import { SqliteEngine } from '../disk/sqlite-engine.ts'
import { Dice } from './dice.ts'
import type { Loop } from './loop.ts'
import { BEGINNING, beginWorld } from './platform.ts'
import { SimDevice } from './sim-device.ts'
import { SimServer } from './sim-server.ts'

export type DiskImage = ReadonlyMap<string, Uint8Array>

export interface TemplateDevice {
  readonly name: string
  readonly handle: string
  readonly device: string
  readonly account: string
  readonly image: DiskImage
}

export interface Template {
  /** When it was finished, milliseconds since 1970. */
  readonly now: number
  readonly secrets: Secrets
  readonly server: DiskImage
  readonly devices: readonly TemplateDevice[]
}

export const PASSWORD = 'correct horse battery staple'

/** Handles, and how many devices each has. */
const PEOPLE = [
  ['alice', 2],
  ['bob', 2],
  ['carol', 1],
  ['dave', 1],
] as const

/** Milliseconds within which a new device must have found its feet. */
const PATIENCE = 60_000

export async function makeTemplate(people: readonly (readonly [handle: string, devices: number])[] = PEOPLE): Promise<Template> {
  const dice = new Dice('the people of every world')
  const loop = beginWorld({ now: BEGINNING, dice })
  const engine = await SqliteEngine.start()
  const bytes = (length: number) => dice.bytes(length)
  const secrets = { ...(await openSecrets({ folder: undefined, random: { bytes, id: () => '' } })), fresh: false }
  const server = new SimServer({ loop, engine, disk: new SimulatedDisk(), secrets, dice: dice.named('server'), log: () => undefined })
  await server.start()
  const devices: SimDevice[] = []
  const handles = new Map<SimDevice, string>()
  for (const [handle, count] of people) {
    for (let number = 1; number <= count; number += 1) {
      const name = `${handle}${number}`
      const parts = {
        name,
        loop,
        engine,
        disk: new SimulatedDisk(),
        dice: dice.named(name),
        recorder: undefined,
        server: () => server.current(),
      }
      const device = new SimDevice(parts)
      await device.start()
      const how = number === 1 ? 'signUp' : 'signIn'
      await settled(device, (messenger) => messenger[how]({ handle, password: PASSWORD, deviceName: name }), loop)
      device.noteSelf()
      devices.push(device)
      handles.set(device, handle)
    }
  }
  for (const device of devices) await settled(device, async (messenger) => void (await messenger.settle({ within: PATIENCE })), loop)
  for (const device of devices) await passed(device.stop(), loop)
  await passed(server.stop(), loop)
  return {
    now: loop.now(),
    secrets,
    server: server.disk.snapshot(),
    devices: devices.map((device) => ({
      name: device.name,
      handle: handles.get(device) ?? '',
      device: device.device,
      account: device.account,
      image: device.disk.snapshot(),
    })),
  }
}

/** Lets the world go on until something that a device does has ended. */
const settled = (device: SimDevice, work: Parameters<SimDevice['act']>[0], loop: Loop): Promise<void> => passed(device.act(work), loop)

/** Lets the world go on until something has ended. */
export async function passed(work: Promise<unknown>, loop: Loop): Promise<void> {
  const outcome: { ended: boolean; error?: unknown } = { ended: false }
  work.then(
    () => (outcome.ended = true),
    (error: unknown) => Object.assign(outcome, { ended: true, error }),
  )
  const done = await loop.run({ done: () => outcome.ended, latest: loop.now() + PATIENCE })
  if (!done || outcome.error !== undefined) throw new Error('the people of every world could not begin', { cause: outcome.error })
}
