/** An engine with its suite laid open, so that tests can put on the insider's hat. */
import type { ClientState } from 'ts-mls'
import { MlsError } from '../../errors.ts'
import { World } from '../../conformance/world.ts'
import type { Seat } from '../../conformance/world.ts'
import { createTsMlsEngine } from '../engine.ts'
import { stateOf } from '../group.ts'
import { loadSuite } from '../suite.ts'
import type { Suite } from '../suite.ts'

export interface Stage {
  readonly suite: Suite
  readonly world: World
  readonly alice: Seat
  readonly bob: Seat
  readonly mallory: Seat
  readonly state: (seat: Seat) => ClientState
}

/** Alice, Bob and Mallory in one group of the classic suite; Mallory is the insider. */
export const setStage = async (): Promise<Stage> => {
  const suite = await loadSuite({ suite: 'classic' })
  const world = new World(await createTsMlsEngine({ suite: 'classic' }))
  const [alice, bob, mallory] = await world.assemble('Alice', 'Bob', 'Mallory')
  if (bob === undefined || mallory === undefined) throw new Error('two were added')
  return { suite, world, alice, bob, mallory, state: (seat) => stateOf(suite, seat.group) }
}

/** Reason and sentence of the `MlsError` that `work` must fail with: the sentence shows which of several rules spoke. */
export const complaint = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work()
  } catch (error) {
    if (error instanceof MlsError) return `${error.reason}: ${error.message}`
    throw error
  }
  return 'accepted'
}
