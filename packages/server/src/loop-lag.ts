/**
 * How late the event loop is (L-26), and how full the heap. Whoever is late already helps nobody by taking more, and whoever has no
 * memory left loses what is under way: first newcomers are sent away, then new work, so that what is under way is finished in
 * time. What frees resources is always taken.
 */

/** `newcomers`: nobody new comes in; `work`: no new work from those who are in, either. */
export type Shedding = 'nothing' | 'newcomers' | 'work'

export interface LoopLagDeps {
  /** Milliseconds since any moment, never going back. */
  elapsed(): number
  /** How much of the heap that the process may have is in use, 0 to 1; garbage counts until it is collected. */
  heapUse?(): number
}

/** How often the loop is asked to be in time, and how many answers count, milliseconds. */
const BEAT_EVERY = 100
const BEATS = 10

/** Lag beyond which each begins, milliseconds. */
const LIMITS = { newcomers: 200, work: 1000 } as const

/** Heap in use beyond which each begins. Collecting becomes frequent long before: what stays so full for a second is not garbage. */
const HEAP_LIMITS = { newcomers: 0.8, work: 0.9 } as const

/** What those who are sent away are told to wait, seconds: by then the beats that were late are forgotten. */
export const COME_BACK_AFTER = 2

export class LoopLag {
  readonly #deps: LoopLagDeps
  readonly #late: number[] = []
  readonly #full: number[] = []
  #due: number
  #shedding: Shedding = 'nothing'
  #timer: NodeJS.Timeout | undefined

  constructor(deps: LoopLagDeps) {
    this.#deps = deps
    this.#due = deps.elapsed()
  }

  start(): void {
    this.#due = this.#deps.elapsed() + BEAT_EVERY
    this.#timer = setInterval(() => this.beat(), BEAT_EVERY).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** To be called every 100 ms; being late is what it measures. */
  beat(): void {
    const now = this.#deps.elapsed()
    if (this.#late.push(Math.max(0, now - this.#due)) > BEATS) this.#late.shift()
    this.#due = now + BEAT_EVERY
    if (this.#full.push(this.#deps.heapUse?.() ?? 0) > BEATS) this.#full.shift()
    const { worst } = this
    const full = this.#full.length < BEATS ? 0 : Math.min(...this.#full)
    const is = (which: 'newcomers' | 'work'): boolean => worst > LIMITS[which] || full > HEAP_LIMITS[which]
    this.#shedding = is('work') ? 'work' : is('newcomers') ? 'newcomers' : 'nothing'
  }

  /** Of the last second, milliseconds; of so few beats it is their 99th percentile. */
  get worst(): number {
    return Math.max(0, ...this.#late)
  }

  get shedding(): Shedding {
    return this.#shedding
  }
}
