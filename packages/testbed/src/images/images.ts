/**
 * The database as a power cut could have left it (F-29): everything that was synced, and any subset of what was written after
 * that, the last of it torn in the middle of a sector. Each image is opened with plain SQLite, and every answer that had gone
 * out by then must be in it, at the same place with the same hash (D-1).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Answer, Recording } from './recording.ts'
import { DATABASE_FILES, type DatabaseFile, type Step } from './trace.ts'

type Change = Extract<Step, { kind: 'write' | 'truncate' }>

export interface ImagesReport {
  readonly images: number
  /** Answers in the recording. */
  readonly acknowledged: number
  /** How many of the images hold less than had been answered, or are no sound database. */
  readonly violations: number
  /** The first few, in words. */
  readonly says: readonly string[]
}

/** Where to cut: how many steps had been done, and which of the unsynced changes the disk had taken. */
interface Cut {
  readonly at: number
  readonly random: () => number
}

export function checkImages({ steps, answers }: Recording, { images, seed }: { images: number; seed: number }): ImagesReport {
  const random = randomFrom(seed)
  const times = saidAt(steps, answers)
  const first = steps.findIndex(({ kind }) => kind === 'said')
  const cuts = Array.from({ length: images }, () => first + Math.floor(random() * (steps.length - first + 1))).toSorted(
    (one, other) => one - other,
  )
  const folder = mkdtempSync(join(tmpdir(), 'tacit-image-'))
  const disk = new Disk()
  const says: string[] = []
  let [done, violations] = [0, 0]
  try {
    for (const at of cuts) {
      for (; done < at; done++) disk.take(steps[done])
      disk.cut({ at, random }, folder)
      const promised = answers.filter((_, index) => (times[index] ?? Infinity) < at)
      const wrong = judgeImage(join(folder, 'tacit.sqlite'), promised)
      if (wrong === undefined) continue
      violations++
      if (says.length < 5) says.push(`D-1: cut after step ${at}: ${wrong}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { images, acknowledged: answers.length, violations, says }
}

/** For each answer the step in which the server said it. Throws when one was never seen: then the recording is not whole. */
function saidAt(steps: readonly Step[], answers: readonly Answer[]): number[] {
  const times = answers.map(() => -1)
  let oldest = 0
  for (const [at, step] of steps.entries()) {
    if (step.kind !== 'said') continue
    for (let index = oldest; index < Math.min(answers.length, oldest + 64); index++) {
      const answer = answers[index]
      if (times[index] === -1 && answer && step.bytes.includes(answer.hash)) times[index] = at
    }
    while (oldest < answers.length && times[oldest] !== -1) oldest++
  }
  if (oldest < answers.length) throw new Error(`the trace does not hold answer ${oldest} of ${answers.length}`)
  return times
}

/** What is safe, and what is only written. */
class Disk {
  readonly #safe = new Map<DatabaseFile, Buffer>()
  #pending: Change[] = []

  take(step: Step | undefined): void {
    if (!step || step.kind === 'said') return
    if (step.kind === 'write' || step.kind === 'truncate') return void this.#pending.push(step)
    const now = this.#pending.filter(({ file }) => file === step.file)
    if (step.kind === 'sync') this.#safe.set(step.file, applied(this.#safe.get(step.file), now))
    // Only the journal that goes when the file becomes one with a write-ahead log, long before the first answer.
    else this.#safe.delete(step.file)
    this.#pending = this.#pending.filter(({ file }) => file !== step.file)
  }

  /** Writes the files of an image. */
  cut({ random }: Cut, folder: string): void {
    for (const ending of ['', '-wal', '-journal', '-shm']) rmSync(join(folder, `tacit.sqlite${ending}`), { force: true })
    const survivors = torn(subset(this.#pending, random), random)
    for (const file of DATABASE_FILES) {
      const content = applied(
        this.#safe.get(file),
        survivors.filter((change) => change.file === file),
      )
      if (content.length > 0) writeFileSync(join(folder, file), content)
    }
  }
}

function subset(pending: readonly Change[], random: () => number): readonly Change[] {
  const way = random()
  if (way < 0.2) return []
  if (way < 0.35) return pending
  if (way < 0.6) return pending.slice(0, Math.floor(random() * (pending.length + 1)))
  const share = random()
  return pending.filter(() => random() < share)
}

const SECTOR = 512

/** In one of three images the last write reached the disk in part. */
function torn(changes: readonly Change[], random: () => number): readonly Change[] {
  const last = changes.at(-1)
  if (last?.kind !== 'write' || random() < 0.66) return changes
  const cut = Math.floor(random() * last.bytes.length)
  const whole = random() < 0.5 ? cut : cut - (cut % SECTOR)
  return [...changes.slice(0, -1), { ...last, bytes: last.bytes.subarray(0, whole) }]
}

function applied(before: Buffer | undefined, changes: readonly Change[]): Buffer {
  const ends = changes.map((change) => (change.kind === 'write' ? change.offset + change.bytes.length : 0))
  const space = Buffer.alloc(Math.max(before?.length ?? 0, ...ends, 0))
  before?.copy(space)
  let size = before?.length ?? 0
  for (const change of changes) {
    if (change.kind === 'truncate') {
      space.fill(0, Math.min(size, change.size))
      size = Math.min(size, change.size)
      continue
    }
    change.bytes.copy(space, change.offset)
    size = Math.max(size, change.offset + change.bytes.length)
  }
  return space.subarray(0, size)
}

/** What is wrong with an image, in words. */
function judgeImage(path: string, promised: readonly Answer[]): string | undefined {
  try {
    const sqlite = new DatabaseSync(path)
    try {
      return lacks(sqlite, promised)
    } finally {
      sqlite.close()
    }
  } catch (error) {
    return promised.length > 0 ? `it cannot be read: ${String(error)}` : undefined
  }
}

function lacks(sqlite: DatabaseSync, promised: readonly Answer[]): string | undefined {
  if (promised.length === 0) return undefined
  const found = new Map<string, string>()
  for (const { conversation, seq, hash } of sqlite.prepare('SELECT conversation, seq, hash FROM entry').all())
    found.set(`${String(conversation)} ${String(seq)}`, Buffer.from(hash instanceof Uint8Array ? hash : []).toString('hex'))
  const lost = promised.filter(({ conversation, seq, hash }) => found.get(`${conversation} ${seq}`) !== hash.toString('hex'))
  if (lost.length > 0) return `${lost.length} of ${promised.length} answered entries are not there`
  const gaps = sqlite
    .prepare(
      `SELECT log.conversation FROM log LEFT JOIN (SELECT conversation, count(*) AS entries FROM entry GROUP BY conversation) AS counted
       ON counted.conversation = log.conversation WHERE log.head <> coalesce(counted.entries, 0)`,
    )
    .all()
  return gaps.length > 0 ? `${gaps.length} logs have gaps` : undefined
}

/** Small and the same everywhere (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
