/** What goes wrong in a simulated world, drawn from its seed: each world has its own few kinds of misfortune. */
import type { Dice } from './dice.ts'
import type { SimDevice } from './sim-device.ts'
import type { SimWorld } from './sim-world.ts'

/** Each kind with the row of the fault matrix (security-reliability section 7.3) that it is of. */
export const FAULTS = [
  'server_killed',
  'server_killed_at_disk',
  'server_power_cut',
  'server_power_cut_at_disk',
  'server_stopped',
  'server_disk_error',
  'server_disk_full',
  'device_killed',
  'device_killed_at_disk',
  'device_power_cut',
  'device_power_cut_at_disk',
  'device_disk_error',
  'device_disk_full',
  'device_restarted',
  'cable_cut',
  'cable_cut_unseen',
  'connection_reset',
  'connection_silent',
  'packets_lost',
  'answers_lost',
  'slow_road',
  'device_went_back',
  'server_clock_jumped',
  'device_clock_jumped',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** Everything but disk errors is the end of a process or a wait; this is about how long each lasts, milliseconds. */
const LASTS = [50, 8000] as const

/** The server's clock is wrong by at most three days, milliseconds. */
const JUMP = 3 * 86_400_000

/** A device's by less than the hour beyond which it takes new key packages for invalid, and the commits with them. */
const DEVICE_JUMP = 50 * 60_000

/** The disk operation of a process at which it ends is one of its next so many. */
const NEXT_OPERATIONS = 40

/** A program's end at one operation of its disk, counted from the first deed. */
export interface Crash {
  /** `server`, or the name of a device. */
  readonly machine: string
  /** From 1; 0 for none. */
  readonly operation: number
  /** The machine goes off, and its disk loses what was not synced. */
  readonly power: boolean
}

export class Misfortune {
  /** How often each kind happened. */
  readonly happened = new Map<FaultKind, number>()
  kills = 0
  readonly #world: SimWorld
  readonly #dice: Dice
  readonly #kinds: readonly FaultKind[]
  /** Copies of stores that somebody took and may put back. */
  readonly #copies = new Map<SimDevice, ReadonlyMap<string, Uint8Array>>()
  /** One start at a time: two programs on one disk are none. */
  readonly #starting = new Set<SimDevice>()
  #over = false

  /** `only`: of these kinds, if there are any. */
  constructor(world: SimWorld, only: readonly string[]) {
    this.#world = world
    this.#dice = world.dice.named('misfortune')
    const allowed = FAULTS.filter((kind) => only.length === 0 || only.includes(kind))
    const count = this.#dice.between(1, 4)
    this.#kinds = Array.from({ length: count }, () => allowed[this.#dice.below(allowed.length)] ?? 'connection_reset')
  }

  /** One more misfortune, now. */
  strike(): void {
    const kind = this.#dice.pick(this.#kinds)
    if (kind === undefined) return
    const done = kind.startsWith('server') ? this.#onServer(kind) : this.#onDevice(kind)
    if (!done) return
    this.#world.trace(`FAULT ${kind}`)
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1)
  }

  /** From now on the operations of all disks are counted, and one of them is the end of its program. */
  countOperations(crash: Crash | undefined): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    if (!crash) return counts
    const { server, devices } = this.#world
    const count = (machine: string, disk: SimDevice['disk'], end: () => void): void =>
      disk.watch(() => {
        const operation = (counts.get(machine) ?? 0) + 1
        counts.set(machine, operation)
        if (machine !== crash.machine || operation !== crash.operation) return
        this.#world.trace(`CRASH of ${machine} at operation ${operation}`)
        end()
      })
    count('server', server.disk, () => this.#endServer(crash.power))
    for (const device of devices) count(device.name, device.disk, () => this.#endDevice(device, crash.power))
    return counts
  }

  /** Disks and roads are whole again, and whatever is down starts. Nothing more goes wrong. */
  heal(): void {
    this.#over = true
    const { server, devices } = this.#world
    server.disk.heal()
    server.clockAhead = 0
    for (const device of devices) {
      const { disk, cable } = device
      device.clockAhead = 0
      disk.heal()
      cable.restore()
      cable.road.delay = [1, 20]
    }
  }

  /** A program that ended is started again after a while, for as long as it does not succeed. */
  async startServer(): Promise<void> {
    const { server, trace } = this.#world
    if (server.current()) return
    try {
      await server.start()
      trace(`server runs (start ${server.starts})`)
    } catch (error) {
      trace(`server did not start: ${String(error)}`)
      this.#later(500, () => void this.startServer())
    }
  }

  /** Nobody puts back a copy of what the device was before. */
  forgetCopy(device: SimDevice): void {
    this.#copies.delete(device)
  }

  async startDevice(device: SimDevice): Promise<void> {
    if (device.isRunning || this.#starting.has(device)) return
    this.#starting.add(device)
    try {
      await device.start()
      this.#world.trace(`${device.name} runs`)
    } catch (error) {
      this.#world.trace(`${device.name} did not start: ${String(error)}`)
      this.#later(500, () => void this.startDevice(device))
    } finally {
      this.#starting.delete(device)
    }
  }

  #onServer(kind: FaultKind): boolean {
    const { server } = this.#world
    if (!server.current()) return false
    const again = (): void => this.#later(this.#while(), () => void this.startServer())
    switch (kind) {
      case 'server_killed':
      case 'server_power_cut':
        this.#endServer(kind === 'server_power_cut')
        return true
      case 'server_killed_at_disk':
      case 'server_power_cut_at_disk':
        this.#atDisk(server.disk, () => this.#endServer(kind === 'server_power_cut_at_disk'))
        return true
      case 'server_stopped':
        void server.stop().then(again)
        return true
      case 'server_disk_error':
        server.disk.failNext(this.#dice.onceIn(2) ? 'sync_error' : 'write_error')
        return true
      case 'server_clock_jumped':
        server.clockAhead = this.#dice.between(-JUMP, JUMP)
        this.#later(this.#while(), () => (server.clockAhead = 0))
        return true
      default:
        server.disk.capacity = server.disk.used + this.#dice.below(64 * 1024)
        this.#later(this.#while(), () => (server.disk.capacity = Number.POSITIVE_INFINITY))
        return true
    }
  }

  /** It ended itself: its disk failed. */
  serverDied(): void {
    this.#world.trace('server died of its disk')
    this.#endServer(false)
  }

  /** What was running ends; somebody starts it again. */
  #endServer(power: boolean): void {
    const { server } = this.#world
    if (!server.current()) return
    this.kills += 1
    if (power) server.cutPower()
    else server.kill()
    this.#later(this.#while(), () => void this.startServer())
  }

  #endDevice(device: SimDevice, power: boolean): void {
    this.kills += 1
    if (power) device.cutPower()
    else device.kill()
    this.#later(this.#while(), () => void this.startDevice(device))
  }

  #onDevice(kind: FaultKind): boolean {
    const device = this.#dice.pick(this.#world.devices.filter(({ isRunning }) => isRunning))
    if (!device) return false
    const { cable, disk } = device
    switch (kind) {
      case 'device_killed':
      case 'device_power_cut':
        this.#endDevice(device, kind === 'device_power_cut')
        return true
      case 'device_killed_at_disk':
      case 'device_power_cut_at_disk':
        this.#atDisk(disk, () => this.#endDevice(device, kind === 'device_power_cut_at_disk'))
        return true
      case 'device_disk_error':
        disk.failNext(this.#dice.onceIn(2) ? 'sync_error' : 'write_error')
        // Whoever sees that the app cannot store anything starts it again.
        this.#later(this.#while(), () => this.#endDevice(device, false))
        return true
      case 'device_disk_full':
        disk.capacity = disk.used + this.#dice.below(16 * 1024)
        this.#later(this.#while(), () => (disk.capacity = Number.POSITIVE_INFINITY))
        return true
      case 'device_clock_jumped':
        device.clockAhead = this.#dice.between(-DEVICE_JUMP, DEVICE_JUMP)
        this.#later(this.#while(), () => (device.clockAhead = 0))
        return true
      case 'device_went_back':
        return this.#goBack(device)
      case 'device_restarted':
        void device.stop().then(() => this.#later(this.#while(), () => void this.startDevice(device)))
        return true
      case 'cable_cut':
      case 'cable_cut_unseen':
        cable.cut({ known: kind === 'cable_cut' })
        this.#later(this.#while(), () => cable.restore())
        return true
      case 'connection_reset':
        cable.resetAll()
        return true
      case 'connection_silent':
        for (const wire of cable.wires) wire.silence()
        return true
      case 'packets_lost':
        cable.road.loseOnceIn = this.#dice.between(2, 20)
        this.#later(this.#while(), () => (cable.road.loseOnceIn = 0))
        return true
      case 'answers_lost':
        cable.loseAnswerOnceIn = this.#dice.between(1, 3)
        this.#later(this.#while(), () => (cable.loseAnswerOnceIn = 0))
        return true
      default:
        cable.road.delay = [this.#dice.between(1, 100), this.#dice.between(100, 4000)]
        this.#later(this.#while(), () => (cable.road.delay = [1, 20]))
        return true
    }
  }

  /** The first time somebody only takes a copy of the store, the second time it is put back. */
  #goBack(device: SimDevice): boolean {
    const copy = this.#copies.get(device)
    this.#copies.delete(device)
    if (!copy) {
      this.#copies.set(device, device.disk.snapshot())
      return false
    }
    this.kills += 1
    device.goBack(copy)
    this.#later(this.#while(), () => void this.startDevice(device))
    return true
  }

  /** At one of the next operations of the disk, in the middle of it. */
  #atDisk(disk: SimDevice['disk'], end: () => void): void {
    let left = this.#dice.between(1, NEXT_OPERATIONS)
    disk.watch(() => {
      left -= 1
      if (left > 0) return
      disk.watch(undefined)
      if (!this.#over) end()
    })
  }

  #while(): number {
    return this.#dice.between(...LASTS)
  }

  /** Outside of every process: the world's own hand. */
  #later(delay: number, work: () => void): void {
    this.#world.loop.after(delay, work, 'nobody')
  }
}
