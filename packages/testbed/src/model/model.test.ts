import { judgeAppend } from '@tacit/server'
import { describe, expect, test } from 'vitest'
import { explore } from './explore.ts'
import { PRODUCT, type RuleSet } from './rules.ts'
import { firstState, type State } from './shape.ts'
import { commit, message, smallWorld } from './small-world.ts'

/** One writes, one begins a new epoch, one watches. */
const writerAndCommitter = firstState([[[message(0)], [commit(1)], []]])

describe('in every order in which things can be lost, come twice, come late and end', () => {
  const worlds: readonly (readonly [string, State])[] = [
    ['two who write', firstState([[[message(0)], [message(1)], []]])],
    ['one who writes while another begins a new epoch', writerAndCommitter],
    ['two who want the same epoch', firstState([[[commit(0)], [commit(1)]]])],
    ['one who writes twice', firstState([[[message(0), message(1)], []]])],
    [
      'one in two conversations',
      firstState([
        [[message(0)], []],
        [[message(1)], []],
      ]),
    ],
  ]
  test.each(worlds)('%s: all can be read, once, by everybody, and nothing stands still', (_, world) => {
    const { whole, done, found } = explore(world, PRODUCT, 200_000)
    expect(found).toBeUndefined()
    expect(whole).toBe(true)
    expect(done).toBeGreaterThan(0)
  })

  test('the whole small world, as far as a test has time', () => {
    const { states, found } = explore(smallWorld, PRODUCT, 20_000)
    expect(found).toBeUndefined()
    expect(states).toBeGreaterThanOrEqual(20_000)
  })
})

describe('with one rule broken, the exploration finds the promise that it keeps', () => {
  const acceptsStale: RuleSet['judge'] = (state, submission) => judgeAppend(state, { ...submission, epoch: state.log.epoch })
  const forgetsCounters: RuleSet['judge'] = (state, submission) =>
    judgeAppend({ ...state, membership: { active: true, clientSeq: submission.clientSeq - 1 } }, submission)
  const broken: readonly (readonly [string, Partial<RuleSet>, string])[] = [
    ['a server that accepts what is of an epoch that is over', { judge: acceptsStale }, 'D-8'],
    ['a server that does not know a counter again', { judge: forgetsCounters }, 'D-5'],
    ['a device that seals anew what nobody answered', { sameBytes: false }, 'D-6'],
    ['a device that sends what it has not stored', { storesSealed: false }, 'D-6'],
    ['a device that does not know its own entry', { knowsOwn: false }, 'D-11'],
  ]
  test.each(broken)('%s', (_, rules, id) => {
    const { found } = explore(writerAndCommitter, { ...PRODUCT, ...rules }, 200_000)
    expect(found?.id).toBe(id)
    expect(found?.way.length).toBeGreaterThan(0)
  })
})
