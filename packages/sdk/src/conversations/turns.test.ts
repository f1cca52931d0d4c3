import { ConversationId, Refusal } from '@tacit/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { Duties } from '../duties.ts'
import { HandClock } from '../hand-clock.test-support.ts'
import { Turns, type Need } from './turns.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

const [here, there] = ['AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ'].map((id) => ConversationId.parse(id)) as [
  ConversationId,
  ConversationId,
]
const tidy: Need = { work: 'tidy', epoch: 1, rank: 0, leaves: 5, grace: 0 }
const update: Need = { ...tidy, work: 'update' }

let clock: HandClock
let asked: Readonly<Record<string, unknown>>[]
let taken: ConversationId[]
let looked: ConversationId[]
let turns: Turns
/** What the server says to an ask. */
let answer: () => Promise<never>

beforeEach(() => {
  clock = new HandClock()
  ;[asked, taken, looked] = [[], [], []]
  answer = () => new Promise(() => undefined)
  turns = new Turns({
    clock,
    duties: new Duties(clock),
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    wire: {
      send: (_name, body) => {
        asked.push(body)
        return answer()
      },
    },
    take: (conversation) => void taken.push(conversation),
    look: (conversation) => void looked.push(conversation),
  })
})

test('what waits is asked for once, and done when the turn comes', () => {
  turns.want(here, tidy)
  turns.want(here, tidy)
  expect(asked).toEqual([{ conversation: here, epoch: 1, work: 'tidy' }])
  expect(taken).toEqual([])
  turns.granted(here)
  expect(taken).toEqual([here])
})

test('what another has done meanwhile is not done again, and the turn goes back', () => {
  turns.want(here, tidy)
  turns.drop(here)
  turns.granted(here)
  expect(taken).toEqual([])
  expect(asked.at(-1)).toMatchObject({ work: 'none' })
})

describe('a server that never gives a turn', () => {
  test('holds up proposals for twenty seconds, then the lowest leaf goes first', async () => {
    turns.want(here, tidy)
    turns.want(there, { ...tidy, rank: 5 })
    await clock.pass(17 * SECOND)
    expect(taken).toEqual([])
    await clock.pass(SECOND)
    expect(taken).toEqual([here])
    await clock.pass(4 * SECOND)
    expect(taken).toEqual([here, there])
  })

  test('holds up own keys for three minutes at most', async () => {
    turns.want(here, update)
    await clock.pass(2 * MINUTE)
    expect(taken).toEqual([])
    await clock.pass(MINUTE)
    expect(taken).toEqual([here])
  })

  test('and refuses to be asked changes nothing of that', async () => {
    answer = () => Promise.reject(new Refusal('unsupported'))
    turns.want(here, tidy)
    await clock.pass(20 * SECOND)
    expect(taken).toEqual([here])
  })

  test('but gives turns to all others is not waited for longer than they could need', async () => {
    for (let epoch = 1; taken.length === 0 && epoch < 100; epoch++) {
      turns.want(here, { ...update, epoch })
      await clock.pass(MINUTE)
    }
    expect(taken).toEqual([here])
    const waited = clock.now() - 1_800_000_000_000
    expect(waited).toBeGreaterThan(30 * MINUTE)
    expect(waited).toBeLessThan(33 * MINUTE)
  })
})

test('while others commit, a device whose keys are due keeps its place and asks no more', async () => {
  turns.want(here, update)
  await clock.pass(2 * SECOND)
  for (let epoch = 2; epoch < 20; epoch++) {
    turns.want(here, { ...update, epoch })
    await clock.pass(MINUTE)
  }
  expect(asked).toHaveLength(1)
  expect(taken).toEqual([])
})

test('a commit that lost its race waits for a new turn; a turn that led to nothing is looked at again', async () => {
  turns.want(here, tidy)
  turns.granted(here)
  turns.want(here, { ...tidy, epoch: 2 })
  expect(asked.map(({ epoch }) => epoch)).toEqual([1, 2])
  turns.granted(here)
  await clock.pass(15 * SECOND)
  expect(looked).toEqual([here])
})

test('a device with keys due in many conversations asks for one every two seconds', async () => {
  const many = Array.from({ length: 30 }, (_, at) =>
    ConversationId.parse(`AAAAAAAAAAAAAAAAAAAA${String.fromCodePoint(65 + (at % 26))}${at < 26 ? 'A' : 'Q'}`),
  )
  for (const conversation of many) turns.want(conversation, update)
  expect(asked).toEqual([])
  await clock.pass(MINUTE)
  expect(asked).toHaveLength(30)
  expect(new Set(asked.map(({ conversation }) => conversation)).size).toBe(30)
})

test('what may settle itself is asked for only when it has not', async () => {
  turns.want(here, { ...tidy, grace: 4000 })
  turns.want(there, { ...tidy, grace: 4000 })
  await clock.pass(3999)
  turns.drop(there)
  await clock.pass(1)
  expect(asked.map(({ conversation }) => conversation)).toEqual([here])
})

test('after the socket ended nothing is taken', async () => {
  turns.want(here, tidy)
  turns.want(there, update)
  turns.disconnected()
  await clock.pass(60 * MINUTE)
  expect(taken).toEqual([])
})
