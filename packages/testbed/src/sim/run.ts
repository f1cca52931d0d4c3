/** One run: a world from a seed, people and misfortune for some steps, then healing, then judgement. The same seed is the same run. */
import { createHash } from 'node:crypto'
import type { HistoryLine } from '../checker/history.ts'
import { Churn, CHURN, type ChurnKind } from './churn.ts'
import { FAULTS, Misfortune, type Crash, type FaultKind } from './faults.ts'
import { runningProcess } from './loop.ts'
import { openSimWorld, type Finding, type SimWorld } from './sim-world.ts'
import type { Template } from './template.ts'
import { Mallory } from './mallory.ts'
import { judgeGroups, judgeSecrecy } from './secrets.ts'
import { isSettled, judgeDevices, legibilityOf, positionsOn, unsaidOf, whatWaits, type Legibility, type Positions } from './verdict.ts'
import { Workload } from './workload.ts'

export interface RunOptions {
  readonly template: Template
  readonly seed: number
  /** Deeds and misfortunes, all together. */
  readonly steps: number
  /** The server lies to devices as well. */
  readonly mallory: boolean
  /** Devices come and go. */
  readonly churn?: boolean
  /** Only these kinds of faults; all of them when empty. */
  readonly only?: readonly string[]
  /** The one misfortune of this run; without it they are drawn. */
  readonly crash?: Crash
  readonly trace?: (what: string) => void
}

export interface Outcome {
  readonly seed: number
  readonly steps: number
  /** Entries whose senders were told that they are accepted. */
  readonly accepted: number
  readonly kills: number
  readonly faults: Readonly<Partial<Record<FaultKind | ChurnKind, number>>>
  /** Whether everybody can read what is theirs. */
  readonly legibility: Legibility
  readonly findings: readonly Finding[]
  /** Of the whole history; the same for every run of the seed. */
  readonly hash: string
  /** Virtual milliseconds from healing until nothing waited any more. */
  readonly healedWithin: number
  readonly refused: Readonly<Record<string, number>>
  readonly history: readonly HistoryLine[]
  /** Events of the scheduler. */
  readonly events: number
  readonly crash: Crash | undefined
  /** Writes and syncs of each machine's disk before healing. */
  readonly operations: Readonly<Record<string, number>>
}

const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11

/** Mean time between two steps, milliseconds. */
const BETWEEN = 400

/** D-11: so long after the last fault is healed everybody must have everything, milliseconds. */
const LATEST = 30_000

/** So often it is told who still waits after healing, milliseconds. */
const TOLD_EVERY = 2000

/** One step in so many is a misfortune. */
const FAULT_ONCE_IN = 8

/** One in so many, where devices come and go, is about a device. */
const CHURN_ONCE_IN = 8

export async function runSeed(options: RunOptions): Promise<Outcome> {
  const { template, seed, steps, mallory, churn: churns = false, only = [], crash, trace = () => undefined } = options
  const timed = (what: string): void => trace(`${String((world?.loop.now() ?? template.now) - template.now).padStart(7)} ${what}`)
  let world: SimWorld | undefined
  world = await openSimWorld({ template, seed, mallory, trace: timed })
  const { loop, dice, devices } = world
  const misfortune = new Misfortune(world, only)
  const workload = new Workload(world)
  const churn = new Churn({ world, misfortune, workload })
  const stopListening = hearFaults(world, misfortune)
  try {
    await misfortune.startServer()
    const plan = dice.named('plan')
    for (const [at, device] of devices.entries()) {
      // Some come late, into conversations that have begun without them.
      if (at === 0 || !plan.onceIn(4)) await misfortune.startDevice(device)
      else loop.after(plan.below(steps * BETWEEN), () => void misfortune.startDevice(device), 'nobody')
    }
    if (world.victim) Object.assign(world.victim, { deceived: true, forge: new Mallory(world.dice.named('lies'), timed).forge })
    const operations = misfortune.countOperations(crash)
    workload.begin()
    for (let step = 0; step < steps; step += 1) {
      await loop.run({ done: () => false, latest: loop.now() + plan.below(2 * BETWEEN) })
      if (churns && plan.onceIn(CHURN_ONCE_IN)) churn.strike()
      else if (!crash && plan.onceIn(FAULT_ONCE_IN)) misfortune.strike()
      else workload.step()
    }
    timed('HEAL')
    const healedAt = loop.now()
    await heal(world, misfortune)
    await converge(world, { churn, workload }, healedAt + LATEST)
    const healedWithin = loop.now() - healedAt
    closeBooks(world)
    world.findings.push(...judgeDevices(world, workload.written), ...(await judgeGroups(world)), ...judgeSecrecy(world))
    return outcomeOf({ seed, steps, world, misfortune, workload, churn, healedWithin, crash, operations })
  } finally {
    stopListening()
    for (const { process } of devices) process?.kill()
    world.server.kill()
  }
}

/** A promise that nobody handles ends a real program; here it ends the server for a failed disk, and is a finding otherwise. */
function hearFaults(world: SimWorld, misfortune: Misfortune): () => void {
  const listener = (error: unknown): void => {
    const whose = runningProcess()
    if (whose?.alive === false) return
    const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
    if (whose?.name.startsWith('server') && (code === SQLITE_IOERR || code === SQLITE_CORRUPT)) return misfortune.serverDied()
    const says = error instanceof Error ? (error.stack ?? String(error)) : String(error)
    world.findings.push({ id: 'fault', says: `${whose?.name ?? 'nobody'} did not handle ${says}` })
  }
  process.on('unhandledRejection', listener)
  return () => process.off('unhandledRejection', listener)
}

async function heal(world: SimWorld, misfortune: Misfortune): Promise<void> {
  misfortune.heal()
  if (world.victim) world.victim.forge = (bytes) => bytes
  await misfortune.startServer()
  for (const device of world.devices) await misfortune.startDevice(device)
}

/** Lets the world go on until nobody waits for anything, or it is too late: then that is a finding. */
async function converge(world: SimWorld, { churn, workload }: { churn: Churn; workload: Workload }, latest: number): Promise<void> {
  const { loop, server, engine, victim, trace } = world
  // Whoever was lied to may stop and say so, and so may who noticed that its store went back: both ask for a person.
  const settling = () => world.devices.filter((device) => device !== victim && !device.wentBack)
  const waiting = () =>
    settling()
      .filter((device) => !isSettled(device, positions))
      .map((device) => whatWaits(device, positions))
  let [next, told] = [0, loop.now()]
  let positions: Positions = { heads: new Map(), behind: new Set() }
  const done = (): boolean => {
    if (loop.now() < next) return false
    next = loop.now() + 100
    churn.sweep()
    workload.answer()
    const running = server.current()
    if (!running) return false
    const database = engine.open(`${running.process.name}/tacit.sqlite`)
    positions = positionsOn(database)
    database.close()
    if (settling().every((device) => isSettled(device, positions))) return true
    if (loop.now() >= told + TOLD_EVERY) {
      told = loop.now()
      trace(`still waits: ${waiting().join('; ')}`)
    }
    return false
  }
  if (await loop.run({ done, latest })) return
  world.findings.push({ id: 'D-11', says: `after ${LATEST / 1000} s: ${waiting().join('; ')}` })
}

/** The server's database has the last word, read past the server. */
function closeBooks({ engine, server, devices, victim, recorder, findings }: SimWorld): void {
  const running = server.current()
  if (!running) return void findings.push({ id: 'D-11', says: 'the server does not run' })
  const database = engine.open(`${running.process.name}/tacit.sqlite`)
  const byDevice = new Map(devices.map((device) => [device.device, device]))
  recorder.finish(database, (device, conversation) => {
    const found = byDevice.get(device)
    return found && found !== victim && !found.wentBack ? unsaidOf(found, conversation) : undefined
  })
  database.close()
  for (const { id, says, lines } of recorder.check().violations) findings.push({ id, says: `${says} (lines ${lines.join(', ')})` })
}

function outcomeOf(done: {
  seed: number
  steps: number
  world: SimWorld
  misfortune: Misfortune
  workload: Workload
  churn: Churn
  healedWithin: number
  crash: Crash | undefined
  operations: ReadonlyMap<string, number>
}): Outcome {
  const { seed, steps, world, misfortune, workload, churn, healedWithin, crash, operations } = done
  const happened = new Map<string, number>([...misfortune.happened, ...churn.happened])
  const faults = Object.fromEntries([...FAULTS, ...CHURN].flatMap((kind) => (happened.has(kind) ? [[kind, happened.get(kind)]] : [])))
  return {
    seed,
    steps,
    accepted: world.recorder.accepted,
    kills: misfortune.kills,
    faults,
    legibility: legibilityOf(world),
    findings: world.findings,
    hash: hashOf(world.recorder.lines),
    healedWithin,
    refused: Object.fromEntries(workload.refused),
    history: world.recorder.lines,
    events: world.loop.steps,
    crash,
    operations: Object.fromEntries(operations),
  }
}

/** Ciphertexts differ from run to run where the platform draws for itself, so their hashes count by the order of their coming. */
function hashOf(lines: readonly HistoryLine[]): string {
  const names = new Map<string, number>()
  const renamed = (value: string): number => {
    const known = names.get(value) ?? names.size
    names.set(value, known)
    return known
  }
  const digest = createHash('sha256')
  for (const line of lines)
    digest.update(
      JSON.stringify(line, (key, value: unknown) =>
        (key === 'hash' || key === 'transcript') && typeof value === 'string' ? renamed(value) : value,
      ),
    )
  return digest.digest('hex')
}
