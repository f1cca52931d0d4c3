/**
 * Devices that come and go: somebody signs in on another device, removes one, or finds that a browser has lost everything and signs in
 * again. What they were not given is not theirs; what they were given they must be able to read.
 */
import { PASSWORD } from './template.ts'
import type { Dice } from './dice.ts'
import type { Misfortune } from './faults.ts'
import type { SimDevice } from './sim-device.ts'
import type { Person, SimWorld } from './sim-world.ts'
import type { Workload } from './workload.ts'

export const CHURN = ['device_signed_in', 'device_removed', 'device_evicted'] as const
export type ChurnKind = (typeof CHURN)[number]

/** As many of a person's devices play at a time. */
const MOST_DEVICES = 3

/** Milliseconds after which somebody tries to sign in again. */
const AGAIN_AFTER = 700

export class Churn {
  readonly happened = new Map<ChurnKind, number>()
  readonly #world: SimWorld
  readonly #misfortune: Misfortune
  readonly #workload: Workload
  readonly #dice: Dice
  /** Somebody has begun to remove them; that it worked they hear from the server, whoever else hears it. */
  readonly #leaving = new Map<SimDevice, Person>()
  /** Programs that are signing in. */
  readonly #trying = new Map<SimDevice, SimDevice['process']>()

  constructor({ world, misfortune, workload }: { world: SimWorld; misfortune: Misfortune; workload: Workload }) {
    this.#world = world
    this.#misfortune = misfortune
    this.#workload = workload
    this.#dice = world.dice.named('churn')
  }

  /** One device comes or goes, if one can. */
  strike(): void {
    this.sweep()
    const person = this.#dice.pick(this.#world.people)
    const kind = this.#dice.pick(CHURN)
    if (!person || !kind || !this.#act(kind, person)) return
    this.#world.trace(`CHURN ${kind} of ${person.handle}`)
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1)
  }

  /** Whoever is signed out signs in, for as long as it does not succeed; a program that ended in the middle of it begins again. */
  signIn(device: SimDevice, handle: string): void {
    if (!this.#world.devices.includes(device) || device.device !== '') return
    device.noteSelf()
    if (device.device !== '') return
    if (!device.isRunning) void this.#misfortune.startDevice(device)
    else if (this.#trying.get(device) !== device.process) this.#try(device, handle)
    this.#world.loop.after(AGAIN_AFTER, () => this.signIn(device, handle), 'nobody')
  }

  #try(device: SimDevice, handle: string): void {
    this.#trying.set(device, device.process)
    device
      .act((messenger) => messenger.signIn({ handle, password: PASSWORD, deviceName: device.name }))
      .catch((error: unknown) => {
        this.#world.trace(`${device.name} could not sign in: ${String(error)}`)
        this.#trying.delete(device)
      })
  }

  /** Those that were removed are nobody's any more. */
  sweep(): void {
    for (const [device, person] of this.#leaving) {
      if (!device.isRunning || device.messenger.watch('session').get().kind !== 'session_ended') continue
      this.#leaving.delete(device)
      this.#world.devices.splice(this.#world.devices.indexOf(device), 1)
      person.devices.splice(person.devices.indexOf(device), 1)
      this.#workload.forget(device)
      device.kill()
      this.#world.trace(`${device.name} is removed`)
    }
  }

  #act(kind: ChurnKind, person: Person): boolean {
    if (kind === 'device_signed_in') return this.#signedIn(person)
    const signedIn = person.devices.filter(({ device, isRunning }) => device !== '' && isRunning)
    const device = this.#dice.pick(signedIn)
    if (!device || device === this.#world.victim) return false
    return kind === 'device_evicted' ? this.#evict(person, device) : this.#remove(person, { device, by: signedIn })
  }

  #signedIn(person: Person): boolean {
    if (person.devices.length >= MOST_DEVICES) return false
    const device = this.#world.newDevice(person)
    this.signIn(device, person.handle)
    return true
  }

  /** By another own device. */
  #remove(person: Person, { device, by }: { device: SimDevice; by: readonly SimDevice[] }): boolean {
    const other = by.find((one) => one !== device)
    if (!other) return false
    const removed = device.device
    this.#leaving.set(device, person)
    this.#world.trace(`${other.name} removes ${device.name}`)
    other
      .act(async (messenger) => {
        const found = (await messenger.devices()).find((one) => one.device === removed)
        if (!found) return
        await messenger.proveByPassword({ password: PASSWORD })
        await messenger.removeDevice({ device: found.device })
      })
      .catch((error: unknown) => this.#world.trace(`${device.name} was not removed: ${String(error)}`))
    return true
  }

  #evict(person: Person, device: SimDevice): boolean {
    this.#workload.forget(device)
    this.#misfortune.forgetCopy(device)
    this.#leaving.delete(device)
    device.evict()
    this.signIn(device, person.handle)
    return true
  }
}
