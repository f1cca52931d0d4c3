/**
 * What the figures of the MLS bench were to be, and whether they are. A machine is not the same twice, and the goals come from
 * another one, so each figure is also given as that one would have shown it: by what one Ed25519 verification with WebCrypto
 * takes here, in the same run, and took there.
 */
import type { Rounds } from './mls-rounds.ts'

/** Where: processor time in Node, time on the wall in Chromium. */
export type Place = 'node' | 'chromium'

/** Milliseconds of one verification where the goals come from. */
const THERE: Readonly<Record<Place, number>> = { node: 0.068, chromium: 0.038 }

/** Milliseconds at most, with the hybrid suite; of messages in a group of any size, of the others in one of a thousand. */
const GOALS = [
  { name: 'seal 200 B', most: 0.15, members: 'any' },
  { name: 'open 200 B', most: 0.15, members: 'any' },
  { name: 'add all', most: 600, members: 1000 },
  { name: 'join', most: 100, members: 1000 },
  { name: 'update, cold', most: 250, members: 1000 },
  { name: 'process it', most: 10, members: 1000 },
  { name: 'process an add', most: 10, members: 1000 },
] as const

export interface Goal {
  readonly name: string
  readonly place: Place
  readonly goal: number
  /** Milliseconds, the median here. */
  readonly here: number
  /** The same by what a verification takes here and took there. */
  readonly there: number
  readonly met: 'here' | 'there' | 'no'
}

/** One row for each goal that `rounds` say something about; `verification` is what one took here, milliseconds. */
export function againstGoals(rounds: readonly Rounds[], { place, verification }: { place: Place; verification: number }): Goal[] {
  return GOALS.flatMap(({ name, most, members }) => {
    const of = rounds.filter((one) => members === 'any' || one.members === members)
    const medians = of.flatMap(({ measured }) => measured.filter((row) => row.name === name).map(({ milliseconds }) => milliseconds))
    if (medians.length === 0) return []
    const here = Math.max(...medians)
    const there = (here * THERE[place]) / verification
    return [{ name, place, goal: most, here, there, met: here <= most ? 'here' : there <= most ? 'there' : 'no' } as const]
  })
}
