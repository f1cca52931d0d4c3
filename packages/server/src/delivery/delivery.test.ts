import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeFromServer, encodeEvent, signNack, type ConversationId, type Entry, type EventFrame } from '@tacit/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newDeviceId, newPerson, type Person } from '../identity.test-support.ts'
import { sha256 } from './accept-message.ts'
import type { Feed } from './feed.ts'
import { framedHandshake, framedMessage } from './framing.test-support.ts'
import { commit, converse, DAY, lineOf, messageOf, newConversation, openRooms, outcomeOf, type Rooms } from './rooms.test-support.ts'

let rooms: Rooms
const [alice, bob, carol] = await Promise.all([newPerson(), newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(async () => {
  rooms.delivery.stop()
  await Promise.all(acknowledging.splice(0))
  await rooms.close()
})

const eventsOf = ({ frames }: { frames: readonly Uint8Array[] }): EventFrame[] =>
  frames.map((frame) => decodeFromServer(frame)).filter((frame): frame is EventFrame => frame.type === 'event')

const entriesOf = (line: { frames: readonly Uint8Array[] }, conversation: ConversationId): Entry[] =>
  eventsOf(line).flatMap((event) =>
    event.name === 'delivery.entries' && event.body.conversation === conversation ? event.body.entries : [],
  )

const caughtUp = (line: { frames: readonly Uint8Array[] }): boolean => eventsOf(line).some(({ name }) => name === 'delivery.caughtUp')

/** Sends `count` messages one after another, from the counter given. */
async function sendMany(
  person: Person,
  { conversation, from, count, size }: { conversation: ConversationId; from: number; count: number; size?: number },
) {
  const sending = Array.from({ length: count }, (_, at) =>
    rooms.delivery.send(person.device, messageOf({ conversation, epoch: 1, clientSeq: from + at }, size)),
  )
  return Promise.all(sending)
}

const acknowledging: Promise<unknown>[] = []

/** Starts a feed whose reader acknowledges all that it is given, at once. */
function readOn(person: Person, conversation: ConversationId, onFrame = () => {}) {
  const line = lineOf(person)
  const send = (frame: Uint8Array): void => {
    line.frames.push(frame)
    onFrame()
    const cursors = [{ conversation, seq: entriesOf(line, conversation).at(-1)?.seq ?? 0 }]
    acknowledging.push(rooms.delivery.acknowledge({ feed, device: person.device, body: { cursors } }))
  }
  const feed: Feed = rooms.delivery.resume({ ...line, send }, { cursors: [] })
  return line
}

describe('a message', () => {
  test('is answered with its position and hash, and doubled by no repeat', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const body = messageOf({ conversation, epoch: 1, clientSeq: 2 })
    const first = await rooms.delivery.send(alice.device, body)
    expect(first).toEqual({ seq: 2, hash: sha256(body.bytes), duplicate: false })
    const again = await Promise.all([rooms.delivery.send(alice.device, body), rooms.delivery.send(alice.device, body)])
    for (const answer of again) expect(answer).toEqual({ ...first, duplicate: true })
    expect(await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })).toMatchObject({
      head: 2,
      entries: [{ seq: 2, sender: alice.device }],
    })
  })

  test('that is said again rings again: the first ring may have been lost with the answer (F-09)', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const body = messageOf({ conversation, epoch: 1, clientSeq: 2 })
    await rooms.delivery.send(alice.device, body)
    rooms.rung.length = 0
    await rooms.delivery.send(alice.device, body)
    expect(rooms.rung).toEqual([{ kind: 'log', conversation, head: 2 }])
  })

  test('sent twice at once takes one position', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const body = messageOf({ conversation, epoch: 1, clientSeq: 1 })
    const answers = await Promise.all([rooms.delivery.send(bob.device, body), rooms.delivery.send(bob.device, body)])
    expect(answers.map(({ seq, duplicate }) => ({ seq, duplicate }))).toEqual([
      { seq: 2, duplicate: false },
      { seq: 2, duplicate: true },
    ])
  })

  test('whose answer was lost is answered as before after the epoch has moved on', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const body = messageOf({ conversation, epoch: 1, clientSeq: 1 })
    const lost = await rooms.delivery.send(bob.device, body)
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    expect(await rooms.delivery.send(bob.device, body)).toEqual({ ...lost, duplicate: true })
  })

  test('has a counter of its own in each conversation', async () => {
    const conversations = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob])]
    const bodies = conversations.map((conversation) => messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    const first = []
    for (const body of bodies) first.push(await rooms.delivery.send(bob.device, body))
    for (const [at, body] of bodies.entries())
      expect(await rooms.delivery.send(bob.device, body)).toEqual({ ...first[at], duplicate: true })
  })

  test('numbers the entries of each log by themselves', async () => {
    const conversations = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob])]
    for (const clientSeq of [1, 2, 3])
      for (const conversation of conversations) {
        const answer = await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq }))
        expect(answer.seq).toBe(clientSeq + 1)
      }
  })

  test('stands where it was accepted, whatever the clock says', async () => {
    const conversation = await converse(rooms, [alice, bob])
    for (const clientSeq of [1, 2, 3]) {
      rooms.clock.time -= 60_000
      await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq }))
    }
    const { entries } = await rooms.delivery.entries(alice.device, { conversation, after: 1, limit: 10 })
    expect(entries.map(({ seq, clientSeq }) => [seq, clientSeq])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
    ])
  })

  test('of a stale epoch is refused with where the log stands, and consumes nothing', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await commit(rooms, alice, { conversation, clientSeq: 2 })
    await expect(rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))).rejects.toMatchObject({
      failure: 'stale_epoch',
      details: { epoch: 2, head: 2 },
    })
    expect(await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 2, clientSeq: 1 }))).toMatchObject({ seq: 3 })
  })

  test('that skips a counter is refused with the one expected', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await expect(rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 2 }))).rejects.toMatchObject({
      failure: 'out_of_order',
      details: { expected: 1 },
    })
  })

  test('of a device that was a member until a moment ago is refused like one of a stranger', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    const late = rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 2, clientSeq: 2 }))
    expect(await outcomeOf(late)).toBe('not_found')
  })

  test('of somebody who is no member is refused exactly as in a conversation that does not exist', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const refusals = await Promise.allSettled(
      [conversation, newConversation()].map((where) =>
        rooms.delivery.send(carol.device, messageOf({ conversation: where, epoch: 1, clientSeq: 1 })),
      ),
    )
    const [there, nowhere] = refusals.map((refusal) => (refusal.status === 'rejected' ? refusal.reason : undefined))
    expect(there).toMatchObject({ failure: 'not_found', details: {} })
    expect(there).toEqual(nowhere)
  })

  test('must be what its command says it is', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const sent = (bytes: Uint8Array<ArrayBuffer>) =>
      outcomeOf(rooms.delivery.send(bob.device, { conversation, epoch: 1, clientSeq: 1, bytes }))
    const good = framedMessage({ conversation, epoch: 1 })
    expect(await sent(framedMessage({ conversation: newConversation(), epoch: 1 }))).toBe('malformed')
    expect(await sent(framedMessage({ conversation, epoch: 2 }))).toBe('malformed')
    expect(await sent(good.slice(0, -1))).toBe('malformed')
    expect(await sent(Uint8Array.of(...good, 0))).toBe('malformed')
    expect(await sent(framedHandshake({ conversation, epoch: 1 }))).toBe('unsupported')
    expect(await sent(good.map((byte, at) => (at === 3 ? 3 : byte)))).toBe('unsupported')
    const proposal = await rooms.seats.sealProposal(bob, { conversation, clientSeq: 1, removes: bob })
    expect(await outcomeOf(rooms.delivery.send(bob.device, proposal))).toBe('accepted')
    expect((await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })).entries).toMatchObject([{ kind: 'proposal' }])
  })
})

describe('the order of a log', () => {
  test('D-1 D-3 D-6 D-8: four people who write at once, with commits between, make one gapless history that all of them read', async () => {
    const people = [alice, bob, carol, await newPerson()]
    const conversation = await converse(rooms, people)
    const lines = people.map(lineOf)
    const feeds = lines.map((line) => rooms.delivery.resume(line, { cursors: [] }))
    const accepted = new Map<number, string>()
    const note = ({ seq, hash }: { seq: number; hash: Uint8Array }) => accepted.set(seq, Buffer.from(hash).toString('hex'))
    let epoch = 1
    const counters = [1, 0, 0, 0]
    for (let round = 0; round < 25; round++) {
      const sends = people.flatMap((person, at) =>
        [1, 2, 3].map((step) =>
          rooms.delivery.send(person.device, messageOf({ conversation, epoch, clientSeq: (counters[at] ?? 0) + step })),
        ),
      )
      for (const answer of await Promise.all(sends)) note(answer)
      for (const at of people.keys()) counters[at] = (counters[at] ?? 0) + 3
      const who = round % people.length
      const committer = people[who] ?? alice
      note(await commit(rooms, committer, { conversation, clientSeq: (counters[who] ?? 0) + 1 }))
      counters[who] = (counters[who] ?? 0) + 1
      epoch += 1
      for (const [at, line] of lines.entries()) {
        await expect.poll(() => entriesOf(line, conversation).at(-1)?.epoch).toBe(epoch - 1)
        const seq = entriesOf(line, conversation).at(-1)?.seq ?? 0
        await rooms.delivery.acknowledge({ feed: feeds[at], device: line.device, body: { cursors: [{ conversation, seq }] } })
      }
    }
    const head = 1 + 25 * 13
    for (const [at, line] of lines.entries()) {
      const log = entriesOf(line, conversation)
      const from = at === 0 ? 1 : 2
      expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: head - from + 1 }, (_, index) => from + index))
      for (const entry of log.filter(({ seq }) => seq > 1))
        expect(accepted.get(entry.seq)).toBe(Buffer.from(sha256(entry.bytes)).toString('hex'))
      expect(log.filter(({ kind }) => kind === 'commit').map((entry) => entry.epoch)).toEqual(
        Array.from({ length: at === 0 ? 26 : 25 }, (_, index) => index + (at === 0 ? 0 : 1)),
      )
    }
    const ofBob = entriesOf(lines[2] ?? lineOf(carol), conversation).filter(({ sender }) => sender === bob.device)
    expect(ofBob.map(({ clientSeq }) => clientSeq)).toEqual(ofBob.map((_, index) => index + 1))
  })
})

describe('a feed', () => {
  test('begins with welcomes, then the logs from the cursors, then says that it caught up', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 5 })
    const line = lineOf(bob)
    rooms.delivery.resume(line, { cursors: [] })
    await expect.poll(() => caughtUp(line)).toBe(true)
    expect(eventsOf(line).map(({ name }) => name)).toEqual(['conversations.welcome', 'delivery.entries', 'delivery.caughtUp'])
    expect(entriesOf(line, conversation).map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6])
  })

  test('misses nothing and doubles nothing that is accepted while it catches up', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 50 })
    const line = lineOf(bob)
    const sending = sendMany(alice, { conversation, from: 52, count: 50 })
    rooms.delivery.resume(line, { cursors: [] })
    await sending
    await expect.poll(() => entriesOf(line, conversation).at(-1)?.seq).toBe(101)
    expect(entriesOf(line, conversation).map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => at + 2))
  })

  test('goes on from the cursor that the device gives, else from the stored one', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 5 })
    const first = lineOf(bob)
    const feed = rooms.delivery.resume(first, { cursors: [{ conversation, seq: 4 }] })
    await expect.poll(() => entriesOf(first, conversation).map(({ seq }) => seq)).toEqual([5, 6])
    await rooms.delivery.acknowledge({ feed, device: bob.device, body: { cursors: [{ conversation, seq: 5 }] } })
    const second = lineOf(bob)
    rooms.delivery.resume(second, { cursors: [] })
    await expect.poll(() => entriesOf(second, conversation).map(({ seq }) => seq)).toEqual([6])
  })

  test('L-13: sends at most 256 entries before they are acknowledged, and goes on when they are', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 600 })
    const line = lineOf(bob)
    const feed = rooms.delivery.resume(line, { cursors: [] })
    const received = (): number => entriesOf(line, conversation).length
    const acknowledge = (seq: number) =>
      rooms.delivery.acknowledge({ feed, device: bob.device, body: { cursors: [{ conversation, seq }] } })
    await expect.poll(received).toBe(256)
    expect(caughtUp(line)).toBe(false)
    await acknowledge(257)
    await expect.poll(received).toBe(512)
    await acknowledge(513)
    await expect.poll(received).toBe(600)
    expect(caughtUp(line)).toBe(true)
  })

  test('L-13: sends 256 KiB before anything is acknowledged, more with each acknowledgement, and never more than 1 MiB', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 60, size: 60_000 })
    const line = lineOf(bob)
    const feed = rooms.delivery.resume(line, { cursors: [] })
    const last = (): number => entriesOf(line, conversation).at(-1)?.seq ?? 1
    for (const window of [240_000, 480_000, 1_020_000, 1_020_000]) {
      const acknowledged = last()
      const cursors = [{ conversation, seq: acknowledged }]
      await rooms.delivery.acknowledge({ feed, device: bob.device, body: { cursors } })
      const size = (): number => (last() - acknowledged) * 60_000
      await expect.poll(size).toBe(window)
      // However long it is waited for.
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      expect(size()).toBe(window)
    }
  })

  test('an entry that is larger than the window comes alone, once everything before it is acknowledged', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 1 })
    await sendMany(alice, { conversation, from: 3, count: 1, size: 1_400_000 })
    await sendMany(alice, { conversation, from: 4, count: 1 })
    const line = lineOf(bob)
    const feed = rooms.delivery.resume(line, { cursors: [] })
    const received = (): number[] => entriesOf(line, conversation).map(({ seq }) => seq)
    const acknowledge = (seq: number) =>
      rooms.delivery.acknowledge({ feed, device: bob.device, body: { cursors: [{ conversation, seq }] } })
    await expect.poll(received).toEqual([2])
    await acknowledge(2)
    await expect.poll(received).toEqual([2, 3])
    await acknowledge(3)
    await expect.poll(received).toEqual([2, 3, 4])
  })

  test('L-14: reads nothing more while the socket is full, and goes on when it has drained', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const line = lineOf(bob)
    const feed = rooms.delivery.resume(line, { cursors: [] })
    await expect.poll(() => caughtUp(line)).toBe(true)
    line.congested = true
    await sendMany(alice, { conversation, from: 2, count: 3 })
    await rooms.delivery.settled()
    expect(entriesOf(line, conversation)).toEqual([])
    line.congested = false
    rooms.delivery.wake(feed)
    await expect.poll(() => entriesOf(line, conversation).map(({ seq }) => seq)).toEqual([2, 3, 4])
  })

  test('leaves the loop to others while many read much: two pages in a turn, and nobody is passed over', async () => {
    const readers = await Promise.all(Array.from({ length: 8 }, () => newPerson()))
    const size = 60_000
    const logs = await Promise.all(
      readers.map(async (reader) => {
        const conversation = await converse(rooms, [alice, reader])
        await sendMany(alice, { conversation, from: 2, count: 16, size })
        return { reader, conversation }
      }),
    )
    rooms.delivery.forgetRecent()
    const readings = logs.map(({ reader, conversation }) => ({ conversation, line: readOn(reader, conversation) }))
    const received = (): number[] => readings.map(({ line, conversation }) => entriesOf(line, conversation).length)
    const inTurns: number[] = []
    for (let before = 0; before < 16 * logs.length;) {
      await nextTurn()
      const now = received().reduce((sum, count) => sum + count, 0)
      inTurns.push(now - before)
      before = now
    }
    expect(Math.max(...inTurns) * size).toBeLessThanOrEqual(2 * 256 * 1024)
    expect(received()).toEqual(logs.map(() => 16))
  })

  test('of an account that is given much rests while others are given something, and comes to its end', async () => {
    const [busy, quiet] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, carol])]
    await sendMany(alice, { conversation: busy, from: 2, count: 32, size: 60_000 })
    rooms.delivery.forgetRecent()
    const others = lineOf(carol)
    rooms.delivery.resume(others, { cursors: [] })
    let sent = 1
    const othersRead = async (): Promise<void> => {
      await rooms.delivery.send(alice.device, messageOf({ conversation: quiet, epoch: 1, clientSeq: ++sent }))
      await expect.poll(() => entriesOf(others, quiet).length).toBe(sent - 1)
    }
    await othersRead()
    // A frame takes a millisecond to give, and no other time passes.
    const much = readOn(bob, busy, () => (rooms.stopwatch.time += 1))
    const given = (): number[] => entriesOf(much, busy).map(({ seq }) => seq)
    await expect.poll(() => given().length * 60_000).toBeGreaterThan(256 * 1024)
    for (let at = 0; at < 20; at++) await othersRead()
    expect(given().length * 60_000).toBeLessThan(1024 * 1024)
    for (; given().length < 32; await othersRead()) rooms.stopwatch.time += 3
    expect(given()).toEqual(Array.from({ length: 32 }, (_, at) => at + 2))
  })

  test('of an account that is given much never keeps those waiting who came meanwhile', async () => {
    const [busy, quiet] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, carol])]
    await sendMany(alice, { conversation: busy, from: 2, count: 64, size: 60_000 })
    rooms.delivery.forgetRecent()
    readOn(carol, quiet)
    let frameTakes = 1
    const much = readOn(bob, busy, () => (rooms.stopwatch.time += frameTakes))
    const given = (): number => entriesOf(much, busy).length
    await expect.poll(() => given() * 60_000).toBeGreaterThan(256 * 1024)
    // It may go on now, and so long does each of its frames take that it is forgotten meanwhile who else asked.
    rooms.stopwatch.time += 200
    frameTakes = 100
    const newcomer = readOn(carol, quiet)
    await expect.poll(() => caughtUp(newcomer)).toBe(true)
    expect(given()).toBeLessThan(32)
    for (; given() < 64; await nextTurn()) rooms.stopwatch.time += 10
  })

  test('of an account that is given much goes on when nobody else is given anything', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 34, size: 30_000 })
    rooms.delivery.forgetRecent()
    // Longer than anybody else is waited for.
    const line = readOn(bob, conversation, () => (rooms.stopwatch.time += 100))
    await expect.poll(() => entriesOf(line, conversation).length).toBe(34)
  })

  test('of a device that is removed ends with the commit that removed it, also when no doorbell said so', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const [hers, his] = [lineOf(alice), lineOf(bob)]
    for (const line of [his, hers]) rooms.delivery.resume(line, { cursors: [] })
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 2, clientSeq: 3 }))
    rooms.bus.ring({ kind: 'log', conversation, head: 3 })
    await expect.poll(() => entriesOf(hers, conversation).at(-1)?.seq).toBe(3)
    expect(entriesOf(his, conversation).map(({ seq }) => seq)).toEqual([2])
  })

  test('of a device that is added while online begins with its welcome', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const line = lineOf(carol)
    rooms.delivery.resume(line, { cursors: [] })
    await expect.poll(() => caughtUp(line)).toBe(true)
    await commit(rooms, alice, { conversation, clientSeq: 2, added: [carol] })
    await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 2, clientSeq: 3 }))
    await expect.poll(() => entriesOf(line, conversation).map(({ seq }) => seq)).toEqual([3])
    expect(eventsOf(line).map(({ name }) => name)).toEqual(['delivery.caughtUp', 'conversations.welcome', 'delivery.entries'])
  })

  test('D-13: of a device that is removed and added again leaves out what was said between, also what is at hand', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const line = lineOf(bob)
    rooms.delivery.resume(line, { cursors: [] })
    const send = (epoch: number, clientSeq: number) => rooms.delivery.send(alice.device, messageOf({ conversation, epoch, clientSeq }))
    await send(1, 2)
    await commit(rooms, alice, { conversation, clientSeq: 3, removed: [bob] })
    // A feed goes on with the newest membership; an earlier one is fetched.
    await expect.poll(() => entriesOf(line, conversation).at(-1)?.seq).toBe(3)
    await send(2, 4)
    await send(2, 5)
    await commit(rooms, alice, { conversation, clientSeq: 6, added: [bob] })
    await send(3, 7)
    await expect.poll(() => entriesOf(line, conversation).at(-1)?.seq).toBe(7)
    expect(entriesOf(line, conversation).map(({ seq }) => seq)).toEqual([2, 3, 7])
  })

  test('sends what doorbells announce, lost or doubled: never twice, never out of order', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const line = lineOf(bob)
    rooms.delivery.resume(line, { cursors: [] })
    await sendMany(alice, { conversation, from: 2, count: 3 })
    for (const head of [3, 2, 9, 4, 4, 1]) rooms.bus.ring({ kind: 'log', conversation, head })
    await sendMany(alice, { conversation, from: 5, count: 7 })
    await expect.poll(() => entriesOf(line, conversation).at(-1)?.seq).toBe(11)
    expect(entriesOf(line, conversation).map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, at) => at + 2))
  })

  test('leaves out conversations that are not the device’s, as if they did not exist', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const line = lineOf(carol)
    rooms.delivery.resume(line, { cursors: [conversation, newConversation()].map((where) => ({ conversation: where, seq: 0 })) })
    await expect.poll(() => caughtUp(line)).toBe(true)
    await sendMany(alice, { conversation, from: 2, count: 2 })
    expect(line.frames).toEqual([encodeEvent({ name: 'delivery.caughtUp', body: {} })])
  })
})

describe('a cursor', () => {
  const stored = async (conversation: ConversationId) => (await rooms.ledger.place(conversation, bob.device))?.cursor
  const acknowledge = (conversation: ConversationId, seq: number) =>
    rooms.delivery.acknowledge({ feed: undefined, device: bob.device, body: { cursors: [{ conversation, seq }] } })

  test('D-9: moves forward only and never past the head', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 3 })
    expect(await stored(conversation)).toBe(1)
    expect(await acknowledge(conversation, 3)).toBe('stored')
    expect(await acknowledge(conversation, 2)).toBe('stored')
    expect(await stored(conversation)).toBe(3)
    expect(rooms.counted.back).toBe(1)
    expect(await acknowledge(conversation, 5)).toBe('overrun')
    expect(await stored(conversation)).toBe(3)
  })

  test('of a conversation that is not the device’s is refused as if there were none', async () => {
    const conversation = await converse(rooms, [alice, carol])
    expect(await outcomeOf(acknowledge(conversation, 1))).toBe('not_found')
    expect(await outcomeOf(acknowledge(newConversation(), 1))).toBe('not_found')
  })

  test('given on resume is stored, but not one past the end', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 3 })
    rooms.delivery.resume(lineOf(bob), { cursors: [{ conversation, seq: 99 }] })
    await expect.poll(() => rooms.counted.back).toBe(1)
    expect(await stored(conversation)).toBe(1)
    rooms.delivery.resume(lineOf(bob), { cursors: [{ conversation, seq: 4 }] })
    await expect.poll(() => stored(conversation)).toBe(4)
  })
})

describe('a NACK', () => {
  const nackOf = async (about: {
    conversation: ConversationId
    clientSeq: number
    commit: number
    hash: Uint8Array
    device: Person['device']
  }) => ({
    conversation: about.conversation,
    clientSeq: about.clientSeq,
    bytes: await signNack(about, async () => new Uint8Array(64)),
  })

  test('takes its place in the log under the counter of its sender, in whatever epoch the log is, and is answered again as before', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const { seq, hash } = await commit(rooms, alice, { conversation, clientSeq: 2 })
    const body = await nackOf({ conversation, device: bob.device, clientSeq: 1, commit: seq, hash })
    const first = await rooms.delivery.nack(bob.device, body)
    expect(first).toEqual({ seq: 3, hash: sha256(body.bytes), duplicate: false })
    expect(await rooms.delivery.nack(bob.device, body)).toEqual({ ...first, duplicate: true })
    const { entries } = await rooms.delivery.entries(alice.device, { conversation, after: 2, limit: 10 })
    expect(entries).toMatchObject([{ kind: 'nack', epoch: 2, sender: bob.device, clientSeq: 1 }])
    const next = messageOf({ conversation, epoch: 2, clientSeq: 2 })
    expect(await outcomeOf(rooms.delivery.send(bob.device, next))).toBe('accepted')
  })

  test('is refused for what is no commit of this log, in another name, under another counter, and from a stranger', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const { seq, hash } = await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq: 2 }))
    const [commit] = await rooms.ledger.hashes(conversation)
    if (!commit) throw new Error('the log begins with a commit')
    const right = { conversation, device: bob.device, clientSeq: 1, commit: commit.seq, hash: commit.hash }
    const outcome = async (said: typeof right, by = bob) => outcomeOf(rooms.delivery.nack(by.device, await nackOf(said)))
    expect(await outcome({ ...right, commit: seq, hash })).toBe('malformed')
    expect(await outcome({ ...right, commit: 99 })).toBe('malformed')
    expect(await outcome({ ...right, device: alice.device })).toBe('malformed')
    expect(await outcome({ ...right, clientSeq: 2 })).toBe('out_of_order')
    expect(await outcome({ ...right, device: carol.device }, carol)).toBe('not_found')
    const other = await nackOf({ ...right, clientSeq: 2 })
    expect(await outcomeOf(rooms.delivery.nack(bob.device, { ...other, clientSeq: 1 }))).toBe('malformed')
    expect(await outcomeOf(rooms.delivery.nack(bob.device, { ...other, clientSeq: 1, bytes: new Uint8Array([1]) }))).toBe('malformed')
    expect(await outcome(right)).toBe('accepted')
  })
})

describe('a page of a log by the route', () => {
  test('ends after 1 MiB, however many entries were asked for, and never before the first', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await sendMany(alice, { conversation, from: 2, count: 30, size: 60_000 })
    await sendMany(alice, { conversation, from: 32, count: 2, size: 1_400_000 })
    const page = async (after: number): Promise<number> =>
      (await rooms.delivery.entries(bob.device, { conversation, after, limit: 500 })).entries.length
    expect(await page(1)).toBe(18)
    expect(await page(19)).toBe(13)
    expect(await page(31)).toBe(1)
    expect(await page(32)).toBe(1)
  })
})

describe('a device that was removed and added again while it was away', () => {
  const page = async (conversation: ConversationId, after: number) => {
    const { head, entries } = await rooms.delivery.entries(bob.device, { conversation, after, limit: 500 })
    return { head, seqs: entries.map(({ seq }) => seq) }
  }

  /** Twice: members at 1 to 3, then 5 to 7, then from 8. */
  async function inAndOut(): Promise<ConversationId> {
    const conversation = await converse(rooms, [alice, bob])
    const send = (epoch: number, clientSeq: number) => rooms.delivery.send(alice.device, messageOf({ conversation, epoch, clientSeq }))
    await send(1, 2)
    await commit(rooms, alice, { conversation, clientSeq: 3, removed: [bob] })
    await send(2, 4)
    await commit(rooms, alice, { conversation, clientSeq: 5, added: [bob] })
    await send(3, 6)
    await commit(rooms, alice, { conversation, clientSeq: 7, removed: [bob] })
    await commit(rooms, alice, { conversation, clientSeq: 8, added: [bob] })
    await send(5, 9)
    return conversation
  }

  test('D-13: reads each of its memberships to the end, one after the other, and nothing between them', async () => {
    const conversation = await inAndOut()
    expect(await page(conversation, 1)).toEqual({ head: 3, seqs: [2, 3] })
    expect(await page(conversation, 2)).toEqual({ head: 3, seqs: [3] })
    expect(await page(conversation, 3)).toEqual({ head: 7, seqs: [6, 7] })
    expect(await page(conversation, 7)).toEqual({ head: 9, seqs: [9] })
  })

  test('keeps for itself what it has not read, until it has', async () => {
    const conversation = await inAndOut()
    await rooms.delivery.acknowledge({ feed: undefined, device: alice.device, body: { cursors: [{ conversation, seq: 9 }] } })
    rooms.clock.time += 2 * DAY
    await rooms.retention.run()
    expect(await page(conversation, 1)).toEqual({ head: 3, seqs: [2, 3] })
    await rooms.delivery.acknowledge({ feed: undefined, device: bob.device, body: { cursors: [{ conversation, seq: 9 }] } })
    await rooms.retention.run()
    expect(await rooms.ledger.pastMemberships(conversation)).toEqual([])
    expect(await page(conversation, 1)).toEqual({ head: 9, seqs: [] })
  })

  test('has one membership more only where something of the last is unread', async () => {
    const conversation = await converse(rooms, [alice, bob])
    await commit(rooms, alice, { conversation, clientSeq: 2, removed: [bob] })
    await rooms.delivery.acknowledge({ feed: undefined, device: bob.device, body: { cursors: [{ conversation, seq: 2 }] } })
    await commit(rooms, alice, { conversation, clientSeq: 3, added: [bob] })
    expect(await rooms.ledger.pastMemberships(conversation)).toEqual([])
  })

  test('is told nothing of earlier memberships that retention has emptied', async () => {
    const conversation = await inAndOut()
    rooms.clock.time += 31 * DAY
    await rooms.retention.run()
    expect(await rooms.ledger.pastMemberships(conversation)).toEqual([])
    expect(await page(conversation, 1)).toEqual({ head: 9, seqs: [] })
  })
})

describe('the hashes of a log', () => {
  test('are open to a member from the beginning, also those from before it joined, and to nobody else', async () => {
    const conversation = await converse(rooms, [alice, bob])
    const { hash } = await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq: 2 }))
    await commit(rooms, alice, { conversation, clientSeq: 3, added: [carol] })
    const page = await rooms.delivery.hashes(carol.device, { conversation, after: 1, limit: 10 })
    expect(page.head).toBe(3)
    expect(page.hashes[0]).toEqual(hash)
    expect(page.hashes).toHaveLength(2)
    await expect(rooms.delivery.hashes(newDeviceId(), { conversation, after: 0, limit: 10 })).rejects.toThrow(
      expect.objectContaining({ failure: 'not_found' }),
    )
  })
})
