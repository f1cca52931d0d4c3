import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { converse, lineOf, messageOf, openRooms, outcomeOf, type Rooms } from '../delivery/rooms.test-support.ts'
import { newPerson } from '../identity.test-support.ts'
import { commandTable } from './socket-commands.ts'
import { socketLimits } from './socket-limits.ts'

let rooms: Rooms
beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

describe('L-17: bytes accepted into one conversation', () => {
  test('are bounded: who goes on waits for their return, other conversations do not, and what is refused or a repeat is free', async () => {
    const [alice, bob, mallory] = await Promise.all([newPerson(), newPerson(), newPerson()])
    const [busy, calm] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob])]
    const limits = { ...socketLimits(1000), inbound: { burst: 5000, perSecond: 100 } }
    const { handlers } = commandTable({ ...rooms, presence: { arrived: () => Promise.resolve(), said: () => undefined } }, limits)
    const clock = { now: 1_000_000 }
    const send = (who: typeof alice, conversation: typeof busy, clientSeq: number): Promise<string> =>
      outcomeOf(
        (async () =>
          handlers['delivery.send']({
            line: { ...lineOf(who), feed: undefined, close: () => undefined },
            body: messageOf({ conversation, epoch: 1, clientSeq }, 3000),
            now: clock.now,
          }))(),
      )
    for (let at = 0; at < 5; at++) expect(await send(mallory, busy, 1)).toBe('not_found')
    expect(await send(alice, busy, 2)).toBe('accepted')
    for (let at = 0; at < 5; at++) expect(await send(alice, busy, 2)).toBe('accepted')
    // Under way when the budget ends is accepted, and owed.
    expect(await send(alice, busy, 3)).toBe('accepted')
    expect([await send(alice, busy, 4), await send(bob, busy, 1)]).toEqual(['rate_limited', 'rate_limited'])
    expect(await send(alice, calm, 2)).toBe('accepted')
    clock.now += 15_000
    expect(await send(alice, busy, 4)).toBe('accepted')
  })
})
