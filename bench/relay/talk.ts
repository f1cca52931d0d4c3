/** What passes between the benchmark and its load generator. */
import type { BenchDevice } from './world.ts'

export type Work =
  /** Every device keeps `outstanding` messages under way; or, with `rate`, all together send so many a second. */
  | { readonly kind: 'load'; readonly outstanding: number; readonly rate?: number; readonly warmUp: number; readonly seconds: number }
  /** Connect so many devices (more than before) and keep them. */
  | { readonly kind: 'idle'; readonly devices: number }

export interface Assignment {
  /** `ws://host:port`. */
  readonly url: string
  /** `relay` speaks the contract, `echo` sends bytes and waits for them. */
  readonly server: 'relay' | 'echo'
  readonly devices: readonly BenchDevice[]
  readonly work: Work
}

export interface LoadResult {
  readonly seconds: number
  readonly accepted: number
  readonly delivered: number
  /** Milliseconds from send to accepted. */
  readonly acceptance: Quantiles
  /** Milliseconds from send to the other device having it. */
  readonly delivery: Quantiles
  readonly generatorMicroseconds: number
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

export type Report =
  | { readonly kind: 'connected' }
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly why: string }

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (share: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3))
  return { p50: at(0.5), p99: at(0.99) }
}
