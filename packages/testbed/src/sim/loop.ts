/**
 * Virtual time and the one scheduler. Whatever waits - a timer, a packet, a fault - is an event at a time; the next one
 * happens when nothing runs any more: promises and ticks are drained by one turn of the real loop, and what asked for
 * `setImmediate` goes before time does. There is no other source of order, so equal seeds give equal runs.
 *
 * What runs belongs to a simulated process. One that is killed has no effect any more: its timers do not ring, and the
 * disk and the network do not listen to it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Dice } from './dice.ts'

const nextTurn = setImmediate

/** A server or a device between its start and its end. */
export class Process {
  readonly name: string
  /** What the program itself draws. */
  readonly dice: Dice
  /** What its platform draws for keys: how much that is may depend on what the platform did before. */
  readonly keyDice: Dice
  #alive = true
  readonly #onEnd: (() => void)[] = []

  constructor(name: string, dice: Dice) {
    this.name = name
    this.dice = dice
    this.keyDice = dice.named('keys')
  }

  get alive(): boolean {
    return this.#alive
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener)
  }

  /** Ends here and now, in the middle of whatever it does. */
  kill(): void {
    if (!this.#alive) return
    this.#alive = false
    for (const listener of this.#onEnd) listener()
  }
}

/** The result, unless the process is killed before. */
export function orKilled<T>(process: Process, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject)
    process.onEnd(() => reject(new Error(`${process.name} was killed`)))
  })
}

interface Event {
  readonly time: number
  readonly order: number
  readonly process: Process | undefined
  readonly work: () => void
  cancelled: boolean
}

const current = new AsyncLocalStorage<Process>()

/** The process that this code runs for. */
export const runningProcess = (): Process | undefined => current.getStore()

export class Loop {
  /** Milliseconds since 1970, for everybody. */
  #now: number
  readonly #events = new Heap()
  #immediates: Event[] = []
  readonly #holding = new Set<symbol>()
  #driven = false
  #order = 0
  #steps = 0

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  /** Events that happened so far. */
  get steps(): number {
    return this.#steps
  }

  /** Calls `work` after so many milliseconds, for the process that asks (or `process`); returns the way to call it off. */
  after(delay: number, work: () => void, process: Process | 'nobody' = runningProcess() ?? 'nobody'): () => void {
    const event = this.#event(this.#now + Math.ceil(Math.max(0, Number.isFinite(delay) ? delay : 0)), work, process)
    this.#events.push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Calls `work` when everything that runs now is done, before any time passes. */
  soon(work: () => void, process: Process | 'nobody' = runningProcess() ?? 'nobody'): () => void {
    const event = this.#event(this.#now, work, process)
    this.#immediates.push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Runs `work` as a part of the process. */
  within<T>(process: Process, work: () => T): T {
    return current.run(process, work)
  }

  /** Lets things happen until `done`, or nothing is left to happen, or it is too late. Returns whether it is done. */
  async run(until: { done: () => boolean; latest: number }): Promise<boolean> {
    this.#driven = true
    try {
      return await this.#run(until)
    } finally {
      this.#driven = false
    }
  }

  async #run(until: { done: () => boolean; latest: number }): Promise<boolean> {
    for (;;) {
      await this.#drained()
      if (until.done()) return true
      const next = this.#events.peek()
      if (!next || next.time > until.latest) {
        this.#now = Math.max(this.#now, Math.min(until.latest, next?.time ?? until.latest))
        return false
      }
      this.#events.pop()
      if (next.cancelled || next.process?.alive === false) continue
      this.#now = Math.max(this.#now, next.time)
      this.#happen(next)
    }
  }

  /** Does something during which no time passes, e.g. a start that reads real files. Rejects when `process` is killed by it. */
  async complete<T>(process: Process, work: () => Promise<T>): Promise<T> {
    const result = orKilled(process, this.within(process, work))
    const holding = Symbol(process.name)
    this.#holding.add(holding)
    const release = (): boolean => this.#holding.delete(holding)
    result.then(release, release)
    if (!this.#driven) await this.#drained()
    return result
  }

  async #drained(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => nextTurn(resolve))
      const due = this.#immediates
      if (due.length === 0 && this.#holding.size === 0) return
      this.#immediates = []
      for (const event of due) if (!event.cancelled && event.process?.alive !== false) this.#happen(event)
    }
  }

  #happen({ process, work }: Event): void {
    this.#steps += 1
    if (process) current.run(process, work)
    else current.exit(work)
  }

  #event(time: number, work: () => void, process: Process | 'nobody'): Event {
    return { time, order: this.#order++, process: process === 'nobody' ? undefined : process, work, cancelled: false }
  }
}

/** A binary heap: the earliest event first, of several at one time the one that was planned first. */
class Heap {
  readonly #events: Event[] = []

  peek(): Event | undefined {
    return this.#events[0]
  }

  push(event: Event): void {
    const events = this.#events
    let at = events.push(event) - 1
    for (let up = (at - 1) >> 1; at > 0; at = up, up = (at - 1) >> 1) {
      const above = events[up]
      if (!above || !isBefore(event, above)) break
      events[at] = above
      events[up] = event
    }
  }

  pop(): Event | undefined {
    const events = this.#events
    const [first] = events
    const last = events.pop()
    if (!last || events.length === 0) return first
    let at = 0
    for (;;) {
      const below = this.#earlierBelow(at)
      const other = events[below]
      if (!other || !isBefore(other, last)) break
      events[at] = other
      at = below
    }
    events[at] = last
    return first
  }

  #earlierBelow(at: number): number {
    const [left, right] = [this.#events[2 * at + 1], this.#events[2 * at + 2]]
    return left && right && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1
  }
}

const isBefore = (one: Event, other: Event): boolean => one.time < other.time || (one.time === other.time && one.order < other.order)
