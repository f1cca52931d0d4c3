/**
 * Looks at every state that can be reached, nearest first, so that what is found is found on a shortest way. A state in which
 * nothing goes on without the weather's doing must be one in which everything is done.
 */
import { stepsFrom, type RuleSet } from './rules.ts'
import { keyOf, type Broken, type State } from './shape.ts'

export interface Explored {
  /** Different ones. */
  readonly states: number
  readonly steps: number
  /** Every state that can be reached was looked at. */
  readonly whole: boolean
  /** States in which everything is done. */
  readonly done: number
  readonly found: Finding | undefined
}

export interface Finding extends Broken {
  /** What happened, from the beginning. */
  readonly way: readonly string[]
}

interface Reached {
  readonly state: State
  readonly by: string
  readonly from: Reached | undefined
}

/** @param most states to look at. Ends at the first thing that is wrong. */
export function explore(first: State, rules: RuleSet, most: number): Explored {
  const seen = new Set([keyOf(first)])
  let [frontier, steps, done]: [Reached[], number, number] = [[{ state: first, by: '', from: undefined }], 0, 0]
  const told = (found: Finding | undefined, whole: boolean): Explored => ({ states: seen.size, steps, whole, done, found })
  while (frontier.length > 0) {
    const next: Reached[] = []
    for (const reached of frontier) {
      if (seen.size >= most) return told(undefined, false)
      let goesOn = false
      for (const step of stepsFrom(reached.state, rules)) {
        steps += 1
        goesOn ||= !step.weather
        const [broken] = step.broken
        if (broken) return told({ ...broken, way: wayTo({ state: step.state, by: step.name, from: reached }) }, false)
        const key = keyOf(step.state)
        if (seen.has(key)) continue
        seen.add(key)
        next.push({ state: step.state, by: step.name, from: reached })
      }
      if (goesOn) continue
      const missing = whatIsMissing(reached.state)
      if (missing) return told({ id: 'D-11', says: missing, way: wayTo(reached) }, false)
      done += 1
    }
    frontier = next
  }
  return told(undefined, true)
}

/** What was wanted and is not there for everybody. */
function whatIsMissing(state: State): string | undefined {
  for (const { log, halves } of state)
    for (const [device, { cursor, waiting, sealed }] of halves.entries()) {
      if (cursor < log.entries.length) return `device ${device} has read ${cursor} of ${log.entries.length}`
      const left = [...(sealed ? [sealed.wish] : []), ...waiting].map(({ name }) => name)
      if (left.length > 0) return `device ${device} still has ${left.join(', ')}`
    }
  return undefined
}

function wayTo(reached: Reached): string[] {
  const way: string[] = []
  for (let at: Reached | undefined = reached; at?.from; at = at.from) way.unshift(at.by)
  return way
}
