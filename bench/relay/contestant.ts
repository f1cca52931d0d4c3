/**
 * One server under one load, for some rounds: its generator stays connected, so the rounds of several servers can take turns on
 * a machine that is not as fast in one minute as in the next.
 */
import { Generator, type Ground, type RunningServer } from './harness.ts'
import type { Load, Quantiles } from './talk.ts'

/** Of one round. Times in microseconds per message, quantiles in milliseconds. */
export interface Figures {
  readonly perSecond: number
  readonly microseconds: number
  readonly perDelivery: number
  readonly generatorMicroseconds: number
  readonly acceptance: Quantiles
  readonly delivery: Quantiles
}

export class Contestant {
  readonly rounds: Figures[] = []
  readonly server: RunningServer
  readonly #generator: Generator
  readonly #people: Ground['people']
  readonly #load: Pick<Load, 'outstanding' | 'rate'>

  constructor(server: RunningServer, people: Ground['people'], load: Pick<Load, 'outstanding' | 'rate'>) {
    this.server = server
    this.#generator = new Generator(server)
    this.#people = people
    this.#load = load
  }

  /** The first round warms up for longer. */
  async round(seconds: number): Promise<void> {
    const warmUp = this.rounds.length === 0 ? 2 : 0.5
    const { report, microseconds } = await this.#generator.run(this.#people, { kind: 'load', ...this.#load, warmUp, seconds })
    if (report.kind !== 'measured') throw new Error('nothing was measured')
    const { accepted, delivered, acceptance, delivery, generatorMicroseconds, ...took } = report.result
    this.rounds.push({
      perSecond: accepted / took.seconds,
      microseconds: microseconds / accepted,
      perDelivery: microseconds / delivered,
      generatorMicroseconds: generatorMicroseconds / accepted,
      acceptance,
      delivery,
    })
  }

  /** A figure of each round. */
  all(figure: (round: Figures) => number): number[] {
    return this.rounds.map(figure)
  }

  /** The generator goes; the server stays. */
  leave(): void {
    this.#generator.stop()
  }
}

const sorted = (values: readonly number[]): number[] => values.toSorted((left, right) => left - right)

export const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? 0

/** `least / median / most`. */
export function spread(values: readonly number[], digits = 0): string {
  const ordered = sorted(values)
  return [ordered[0], median(values), ordered.at(-1)].map((value) => (value ?? 0).toFixed(digits)).join(' / ')
}
