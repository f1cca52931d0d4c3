/** What an attack of the malicious server is: who it plays with, what it tries, and what came of it. */
import type { Stage } from './stage.ts'

/**
 * prevented: the attack has no effect, ever. detected: the victim shows an alarm with the n-th message (or, `by` time, in the
 * n-th minute) after it at the latest. residual: it works, and the victim is shown what is the matter.
 */
export type Verdict =
  | { readonly kind: 'prevented' }
  | { readonly kind: 'detected'; readonly within: number }
  | { readonly kind: 'residual' }

/** `held`: nothing came of it. `distance`: with the how many-th message it was shown. */
export type Outcome =
  | { readonly kind: 'held' }
  | { readonly kind: 'detected'; readonly distance: number }
  | { readonly kind: 'succeeded'; readonly says: string }

export interface Row {
  /** Of the table in docs/protocol/mallory.md, with a letter where an attack has several scripts. */
  readonly id: string
  /** What the server does, in a few words. */
  readonly attack: string
  readonly verdict: Verdict
  /** One run. Rejects when honest people could not even talk, which counts as a success of the attack. */
  readonly play: (stage: Stage) => Promise<Outcome>
}

/** What a run of a row was good for, said by its verdict. */
export function isAsPromised({ verdict }: Pick<Row, 'verdict'>, outcome: Outcome): boolean {
  switch (verdict.kind) {
    case 'prevented':
      return outcome.kind === 'held'
    case 'detected':
      return outcome.kind === 'detected' && outcome.distance <= verdict.within
    case 'residual':
      return outcome.kind === 'detected'
  }
}

export const held: Outcome = { kind: 'held' }
export const succeeded = (says: string): Outcome => ({ kind: 'succeeded', says })

/** The attack worked when any of these is true. */
export const unless = (...successes: readonly (readonly [happened: boolean, says: string])[]): Outcome => {
  const [first] = successes.filter(([happened]) => happened)
  return first ? succeeded(first[1]) : held
}
