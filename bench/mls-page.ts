/** The bench in a browser: the page's one script. The driver (`mls.ts`) calls `benchMls` and reads what it returns. */
import { createMlsEngine } from '@tacit/mls'
import { runRounds, yardstick, type Effort, type Rounds } from './mls-rounds.ts'

const clock = (): number => performance.now()

export interface PageRun {
  readonly yardstick: number
  readonly rounds: readonly Rounds[]
}

const benchMls = async (plan: { suites: readonly number[]; sizes: readonly number[]; effort: Effort }): Promise<PageRun> => {
  const rounds: Rounds[] = []
  for (const suite of plan.suites) {
    const engine = await createMlsEngine({ suite })
    for (const members of plan.sizes)
      rounds.push(await runRounds(engine, `ours, ${engine.suiteName}`, { members, clock, effort: plan.effort }))
  }
  return { yardstick: await yardstick(clock), rounds }
}

Object.assign(globalThis, { benchMls })
