import { decodeFromServer, type EventFrame } from '@tacit/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newPerson, type Person } from '../identity.test-support.ts'
import { commit, converse, lineOf, newConversation, openRooms, outcomeOf, type Rooms } from '../delivery/rooms.test-support.ts'

let rooms: Rooms
const [alice, bob, carol] = await Promise.all([newPerson(), newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
  rooms.signals.passTo(rooms.delivery)
})
afterEach(() => rooms.close())

const events = ({ frames }: { frames: readonly Uint8Array[] }): EventFrame[] =>
  frames.map((frame) => decodeFromServer(frame)).filter((frame): frame is EventFrame => frame.type === 'event')

const signals = (line: { frames: readonly Uint8Array[] }) =>
  events(line).flatMap((event) => (event.name === 'signals.signal' ? [event.body] : []))

async function online(person: typeof alice) {
  const line = lineOf(person)
  rooms.delivery.resume(line, { cursors: [] })
  await expect.poll(() => events(line).some(({ name }) => name === 'delivery.caughtUp')).toBe(true)
  return line
}

const bytes = Uint8Array.of(1, 2, 3)

/** Sends, and waits until it was handed on. */
async function send(who: Person, body: Parameters<Rooms['signals']['send']>[1]): Promise<void> {
  await rooms.signals.send(who.device, body)
  await rooms.signals.passed()
}

describe('a signal', () => {
  test('reaches the members who are online, not its sender, and is in no log', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const [hers, his, strangers] = [await online(alice), await online(bob), await online(carol)]
    await send(alice, { conversation, epoch: 1, keep: false, bytes })
    expect(signals(his)).toEqual([{ conversation, sender: alice.device, epoch: 1, kept: false, bytes }])
    expect([signals(hers), signals(strangers)]).toEqual([[], []])
    expect(await rooms.ledger.log(conversation)).toEqual({ epoch: 1, head: 1 })
    expect(signals(await online(bob))).toEqual([])
  })

  test('that is kept replaces the last one of its device and is given on resume, before it is said that all came', async () => {
    const conversation = await converse(rooms, [alice, bob])
    for (const value of [7, 8]) await send(alice, { conversation, epoch: 1, keep: true, bytes: Uint8Array.of(value) })
    const his = await online(bob)
    expect(signals(his)).toEqual([{ conversation, sender: alice.device, epoch: 1, kept: true, bytes: Uint8Array.of(8) }])
    expect(events(his).at(-1)?.name).toBe('delivery.caughtUp')
    expect(signals(await online(alice))).toEqual([])
  })

  test('of somebody who is no member, or no more, is refused as if there were no conversation', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const send = (who: typeof alice, where = conversation) =>
      outcomeOf(rooms.signals.send(who.device, { conversation: where, epoch: 1, keep: true, bytes }))
    expect([await send(carol), await send(alice, newConversation())]).toEqual(['not_found', 'not_found'])
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    expect(await send(bob)).toBe('not_found')
  })

  test('does not reach who was removed, although the line is still open', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const his = await online(bob)
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    await send(alice, { conversation, epoch: 2, keep: true, bytes })
    expect(signals(his)).toEqual([])
    expect(signals(await online(bob))).toEqual([])
  })

  test('is not queued for a line that is full', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const his = await online(bob)
    his.congested = true
    await send(alice, { conversation, epoch: 1, keep: false, bytes })
    his.congested = false
    expect(signals(his)).toEqual([])
  })

  test('the oldest are let go when more wait to be handed on than anybody would miss', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const his = await online(bob)
    const signal = { kind: 'signal', conversation, sender: alice.device, kept: false, bytes } as const
    for (let epoch = 0; epoch <= 10_001; epoch++) rooms.bus.ring({ ...signal, epoch })
    await expect.poll(() => signals(his).at(-1)?.epoch).toBe(10_001)
    // The first is under way before the others come.
    expect(signals(his)).toHaveLength(10_001)
    expect(signals(his)[1]?.epoch).toBe(2)
  })

  test('kept ones come page by page when there are many', async () => {
    const people = await Promise.all(Array.from({ length: 150 }, () => newPerson()))
    const conversation = await converse(rooms, [alice, ...people])
    await Promise.all(people.map(({ device }) => rooms.signals.send(device, { conversation, epoch: 1, keep: true, bytes })))
    expect(new Set(signals(await online(alice)).map(({ sender }) => sender)).size).toBe(150)
  })
})
