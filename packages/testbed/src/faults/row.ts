/** What a row of the fault table is, and what it reports. */
import type { Violation } from '../checker/checker.ts'

/** Something measured; `limit`: what it should stay under, where the row has such a demand. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit?: number
}

export interface Outcome {
  /** How often the fault was made to happen. */
  readonly injections: number
  /** Server processes that were ended with SIGKILL. */
  readonly kills?: number
  readonly acknowledged: number
  /** What the history breaks, and what the server or a device did that the row forbids. */
  readonly violations: readonly (Violation | { readonly id: string; readonly says: string })[]
  readonly figures: readonly Figure[]
}

/** A fault, and how often it happens in the short and in the long version. */
export interface Row {
  /** Such as `F-01`. */
  readonly id: string
  readonly name: string
  readonly short: number
  readonly long: number
  /** It measures the others' times, or kills as fast as it can, and so must have the machine to itself. */
  readonly alone?: true
  run(injections: number): Promise<Outcome>
}

/** The highest of these, or 0. */
export const worst = (times: readonly number[]): number => times.reduce((left, right) => Math.max(left, right), 0)

/** A quantile, such as 0.99; 0 of nothing. */
export function quantile(times: readonly number[], part: number): number {
  const sorted = Float64Array.from(times).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

export const milliseconds = (name: string, value: number, limit?: number): Figure => ({
  name,
  value: Math.round(value),
  unit: 'ms',
  ...(limit !== undefined && { limit }),
})
