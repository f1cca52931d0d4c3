/** What passes between a benchmark and its load generator. */
import type { BenchDevice } from './world.ts'

/** Every device keeps `outstanding` messages under way; or, with `rate`, all together send so many a second. */
export interface Load {
  readonly kind: 'load'
  readonly outstanding: number
  readonly rate?: number
  readonly warmUp: number
  readonly seconds: number
}

export type Work =
  | Load
  /** The first device sends, the others receive; the next message when all have `outstanding` fewer than were sent. */
  | { readonly kind: 'fanout'; readonly outstanding: number; readonly warmUp: number; readonly seconds: number }
  /** Every device sends so many, and goes. */
  | { readonly kind: 'enqueue'; readonly each: number }
  /** Every device comes, and stays until it has so many. */
  | { readonly kind: 'drain'; readonly each: number }
  /** One account asks for as much as it can, for ever: messages of all sizes, rubbish, and connecting anew. */
  | { readonly kind: 'noise' }
  /** Connect so many devices (more than before) and keep them. */
  | { readonly kind: 'idle'; readonly devices: number }

/** A bare `ws` server, and one that is a relay with nothing around it. */
export type Floor = 'floor' | 'keeping floor'

/** First byte of a frame to a floor, or from it. */
export const floorKind = { echo: 0, forAll: 1, keep: 2, kept: 3 } as const

export interface Assignment {
  /** `ws://host:port`. */
  readonly url: string
  /** `relay` speaks the contract; a floor sends back what it gets, or passes it to all others, or keeps it for the others of a room. */
  readonly server: 'relay' | Floor
  readonly devices: readonly BenchDevice[]
  readonly work: Work
}

export interface Result {
  readonly seconds: number
  readonly accepted: number
  readonly delivered: number
  /** Milliseconds from send to accepted. */
  readonly acceptance: Quantiles
  /** Milliseconds from send to the other device having it; with `fanout`, to the last one having it. */
  readonly delivery: Quantiles
  readonly generatorMicroseconds: number
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export type Report =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured'; readonly result: Result }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string }

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).toSorted()
  const at = (share: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3))
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}
