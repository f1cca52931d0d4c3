import { ACKNOWLEDGE_WITHIN, limits, Refusal, type ConversationId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { Duties } from '../duties.ts'
import { HandClock, settled } from '../hand-clock.test-support.ts'
import { Acknowledger } from './acknowledger.ts'

const [ONE, OTHER] = ['one', 'other'] as ConversationId[] as [ConversationId, ConversationId]
const entries = (count: number, size = 1): { bytes: Uint8Array }[] => Array.from({ length: count }, () => ({ bytes: new Uint8Array(size) }))

/** A device's acknowledgements on a wire that answers as it is told. */
class Scene {
  readonly clock = new HandClock()
  readonly duties = new Duties(this.clock)
  readonly said: Record<string, number>[] = []
  answer: () => Promise<void> = () => Promise.resolve()
  readonly acknowledger = new Acknowledger({
    clock: this.clock,
    duties: this.duties,
    wire: {
      send: (_, { cursors }) => {
        this.said.push(Object.fromEntries(cursors.map(({ conversation, seq }) => [conversation, seq])))
        return this.answer()
      },
    },
  })

  /** Comes and is stored. */
  take(count: number, { upTo, size = 1 }: { upTo: number; size?: number }): void {
    this.acknowledger.received(entries(count, size))
    this.acknowledger.stored(ONE, upTo)
  }

  get isAtRest(): Promise<boolean> {
    let ended = false
    void this.duties.rest(60_000).then(() => (ended = true))
    return this.clock.pass(0).then(() => ended)
  }
}

test('what is stored within the time that the contract gives goes into one acknowledgement, with the last position of each', async () => {
  const { acknowledger, clock, said } = new Scene()
  acknowledger.stored(ONE, 1)
  await clock.pass(ACKNOWLEDGE_WITHIN - 1)
  acknowledger.stored(OTHER, 7)
  acknowledger.stored(ONE, 3)
  acknowledger.stored(ONE, 2)
  expect(said).toEqual([])
  await clock.pass(1)
  expect(said).toEqual([{ one: 3, other: 7 }])
  await clock.pass(10_000)
  expect(said).toHaveLength(1)
})

test.each([
  ['entries', { few: { count: limits.windowEntries / 4 - 1, size: 1 } }],
  ['bytes', { few: { count: 1, size: limits.windowBytes / 4 - 1 } }],
])('a quarter of the window is acknowledged as soon as it is stored: %s', async (_, { few: { count, size } }) => {
  const scene = new Scene()
  scene.take(count, { upTo: count, size })
  await settled()
  expect(scene.said).toEqual([])
  scene.take(1, { upTo: count + 1 })
  await settled()
  expect(scene.said).toEqual([{ one: count + 1 }])
  // And counting begins anew.
  scene.take(1, { upTo: count + 2 })
  await settled()
  expect(scene.said).toHaveLength(1)
})

test('one that was refused is said again with what came meanwhile, and not before its time, however full the window is', async () => {
  const scene = new Scene()
  scene.answer = () => Promise.reject(new Refusal('unavailable'))
  scene.acknowledger.stored(ONE, 1)
  await scene.clock.pass(ACKNOWLEDGE_WITHIN)
  scene.take(limits.windowEntries, { upTo: 257 })
  scene.acknowledger.hurry()
  await scene.clock.pass(1999)
  expect(scene.said).toEqual([{ one: 1 }])
  scene.answer = () => Promise.resolve()
  await scene.clock.pass(1)
  expect(scene.said).toEqual([{ one: 1 }, { one: 257 }])
})

test('of a socket that ended nothing is said on the next one, whose cursors say it', async () => {
  const scene = new Scene()
  const answer = Promise.withResolvers<void>()
  scene.answer = () => answer.promise
  scene.take(limits.windowEntries, { upTo: 256 })
  scene.acknowledger.stored(OTHER, 1)
  scene.acknowledger.disconnected()
  answer.reject(new Refusal('unavailable'))
  await scene.clock.pass(10_000)
  expect(scene.said).toEqual([{ one: 256 }])
  expect(await scene.isAtRest).toBe(true)
})

test('whoever leaves says first what was gathered, and waits until it was heard', async () => {
  const scene = new Scene()
  const answer = Promise.withResolvers<void>()
  scene.answer = () => answer.promise
  scene.acknowledger.stored(ONE, 4)
  // What is only gathered holds up nobody.
  expect(await scene.isAtRest).toBe(true)
  scene.acknowledger.hurry()
  expect(scene.said).toEqual([{ one: 4 }])
  expect(await scene.isAtRest).toBe(false)
  answer.resolve()
  await settled()
  expect(await scene.isAtRest).toBe(true)
})

test('what was withheld is acknowledged when it will never be stored here', async () => {
  const { acknowledger, clock, said } = new Scene()
  acknowledger.withhold(ONE, 9)
  await clock.pass(ACKNOWLEDGE_WITHIN)
  expect(said).toEqual([])
  acknowledger.release(ONE)
  acknowledger.release(OTHER)
  await clock.pass(ACKNOWLEDGE_WITHIN)
  expect(said).toEqual([{ one: 9 }])
})
