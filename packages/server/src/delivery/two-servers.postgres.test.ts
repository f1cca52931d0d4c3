import { AccountId, DeviceId, Refusal, type ConversationId } from '@tacit/contract'
import fc from 'fast-check'
import { sql, type Transaction } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import { newPlace, type TestPlace } from '../storage/database.test-support.ts'
import { storageRefusal } from '../storage/faults.ts'
import { openPostgres, type PostgresDatabase } from '../storage/postgres/postgres-database.ts'
import type { Tables } from '../storage/tables.ts'
import { sha256 } from './accept-message.ts'
import type { Appended, NewEntry } from './delivery.store.ts'
import * as ledger from './ledger.store.ts'
import { PostgresDeliveryStore } from './postgres.store.ts'
import { newConversation } from './rooms.test-support.ts'

interface Server {
  readonly database: PostgresDatabase
  readonly store: PostgresDeliveryStore
  readonly batches: number[]
}

interface Person {
  readonly account: AccountId
  readonly device: DeviceId
}

const newPerson = (): Person => ({ account: AccountId.parse(systemRandom.id()), device: DeviceId.parse(systemRandom.id()) })

let place: TestPlace
let servers: Server[]
const [alice, bob] = [newPerson(), newPerson()]

async function start(): Promise<Server> {
  const database = await openPostgres({ url: place.url })
  const batches: number[] = []
  const hears = { onBatch: (size: number) => void batches.push(size), onCursorBack: () => undefined }
  return { database, batches, store: new PostgresDeliveryStore({ database, hears }) }
}

beforeEach(async () => {
  place = await newPlace()
  servers = [await start(), await start()]
})
afterEach(async () => {
  for (const { database } of servers) await database.close()
  await place.drop()
})

const server = (at: number): Server => {
  const found = servers[at]
  if (!found) throw new Error('two servers run')
  return found
}

async function converse(members: readonly Person[]): Promise<ConversationId> {
  const conversation = newConversation()
  await server(0).database.write(async (tx) => {
    await ledger.begin(tx, conversation)
    for (const member of members) await ledger.join(tx, { conversation, ...member, fromSeq: 0 })
  })
  return conversation
}

function message(conversation: ConversationId, { device }: Person, clientSeq: number, epoch = 0): NewEntry {
  const bytes = systemRandom.bytes(50)
  return { conversation, epoch, kind: 'message', sender: device, clientSeq, time: 1, hash: sha256(bytes), bytes }
}

/** As a device does: what is unavailable is said again. */
async function insist(entry: NewEntry): Promise<Appended> {
  for (;;) {
    try {
      return await server(0).store.append(entry)
    } catch (error) {
      if (storageRefusal(error)?.failure !== 'unavailable') throw error
    }
  }
}

/** An entry comes to the first server while the second has its log in hand, and waits until that has done its work. */
async function askedWhile(asked: NewEntry, work: (tx: Transaction<Tables>) => Promise<void>): Promise<() => Promise<Appended>> {
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const working = server(1).database.write(async (tx) => {
    await ledger.lockedState(tx, { conversation: asked.conversation, device: asked.sender })
    locked.resolve()
    await release.promise
    await work(tx)
  })
  await locked.promise
  const sending = server(0).store.append(asked)
  sending.catch(() => undefined)
  const waits = sql<{
    count: number
  }>`select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  await expect.poll(async () => (await waits.execute(server(1).database.kysely)).rows[0]?.count).toBe(1)
  release.resolve()
  await working
  return () => sending
}

const counting = (most: number): number[] => Array.from({ length: most }, (_, at) => at + 1)

describe('two servers on one database', () => {
  test('D-1 D-3 D-6: make one gapless log of what comes to both, and each message stands where its sender was told', async () => {
    const conversation = await converse([alice, bob])
    const sent = [alice, bob].flatMap((who, at) => counting(400).map((clientSeq) => ({ at, entry: message(conversation, who, clientSeq) })))
    const answers = await Promise.all(sent.map(({ at, entry }) => server(at).store.append(entry)))
    const log = await ledger.entriesIn(server(0).database.kysely, { conversation, after: 0, end: 1000, limit: 1000 })
    expect(log.map(({ seq }) => seq)).toEqual(counting(800))
    for (const [at, { entry }] of sent.entries()) expect(log[(answers[at]?.seq ?? 0) - 1]?.bytes).toEqual(new Uint8Array(entry.bytes))
    for (const { device } of [alice, bob])
      expect(log.filter(({ sender }) => sender === device).map(({ clientSeq }) => clientSeq)).toEqual(counting(400))
    expect(Math.max(...server(0).batches)).toBeGreaterThan(100)
  })

  test('accept a message that comes to both of them once, and give one answer', async () => {
    const conversation = await converse([alice, bob])
    for (let clientSeq = 1; clientSeq <= 30; clientSeq++) {
      const entry = message(conversation, alice, clientSeq)
      const answers = await Promise.all([0, 1].map((at) => server(at).store.append(entry)))
      expect(new Set(answers.map(({ seq }) => seq))).toEqual(new Set([clientSeq]))
      expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(1)
    }
  })

  test('do not stand in each other’s way with logs and cursors in different orders', async () => {
    const conversations = await Promise.all(counting(40).map(() => converse([alice, bob])))
    const work = [conversations, conversations.toReversed()].flatMap((order, at) =>
      order.flatMap((conversation) => [
        server(at).store.append(message(conversation, at === 0 ? alice : bob, 1)),
        server(at).store.storeCursors(() => [{ conversation, device: alice.device, seq: 1 }]),
      ]),
    )
    await Promise.all(work)
    for (const conversation of conversations)
      expect(await ledger.logOf(server(0).database.kysely, conversation)).toEqual({ epoch: 0, head: 2 })
  })

  test('refuse what waited while a commit on the other ended its epoch', async () => {
    const conversation = await converse([alice, bob])
    const asked = message(conversation, alice, 1)
    const sending = await askedWhile(asked, async (tx) => {
      await ledger.append(tx, { ...message(conversation, bob, 1), kind: 'commit' })
      await ledger.nextEpoch(tx, conversation)
    })
    await expect(sending()).rejects.toMatchObject({ failure: 'stale_epoch' })
  })

  test('D-6: say where it stands of what waited while the other accepted it: the counter that was read before is not moved twice', async () => {
    const conversation = await converse([alice, bob])
    const asked = message(conversation, alice, 1)
    const sending = await askedWhile(asked, async (tx) => void (await ledger.append(tx, asked)))
    expect(await sending()).toMatchObject({ seq: 1, duplicate: true, hash: asked.hash })
    expect(await ledger.logOf(server(0).database.kysely, conversation)).toEqual({ epoch: 0, head: 1 })
  })

  test('F-09: say where it stands of what waited while the other accepted it, and then ended its epoch', async () => {
    const conversation = await converse([alice, bob])
    const asked = message(conversation, alice, 1)
    const sending = await askedWhile(asked, async (tx) => {
      await ledger.append(tx, asked)
      await ledger.append(tx, { ...message(conversation, bob, 1), kind: 'commit' })
      await ledger.nextEpoch(tx, conversation)
    })
    expect(await sending()).toMatchObject({ seq: 1, duplicate: true, hash: asked.hash })
  })

  test('refuse what was sealed for an epoch that a commit on the other has just ended', async () => {
    const conversation = await converse([alice, bob])
    const committing = server(1).database.write(async (tx) => {
      await ledger.lockedState(tx, { conversation, device: bob.device })
      await ledger.append(tx, { ...message(conversation, bob, 1), kind: 'commit' })
      await ledger.nextEpoch(tx, conversation)
    })
    const sending = Promise.allSettled(counting(20).map((clientSeq) => server(0).store.append(message(conversation, alice, clientSeq))))
    await committing
    for (const outcome of await sending) {
      if (outcome.status === 'fulfilled') expect(outcome.value.seq).toBeLessThanOrEqual(20)
      else expect(outcome.reason).toMatchObject({ failure: 'stale_epoch', details: { epoch: 1 } })
    }
    const log = await ledger.entriesIn(server(0).database.kysely, { conversation, after: 0, end: 100, limit: 100 })
    const commit = log.findIndex(({ kind }) => kind === 'commit')
    expect(log.slice(commit + 1)).toEqual([])
    expect(log.map(({ seq }) => seq)).toEqual(counting(log.length))
  })
})

describe('a batch', () => {
  test('answers each of its messages by the rule: appended, a repeat, a gap, a stranger, another epoch', async () => {
    const conversation = await converse([alice, bob])
    const first = message(conversation, alice, 1)
    const asked = [
      first,
      first,
      message(conversation, alice, 3),
      message(conversation, alice, 2),
      message(conversation, newPerson(), 1),
      message(newConversation(), alice, 1),
      message(conversation, bob, 1, 7),
    ]
    const outcomes = await Promise.allSettled(asked.map((entry) => server(0).store.append(entry)))
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.seq, outcome.value.duplicate] : outcome.reason.failure)),
    ).toEqual([[1, false], [1, true], 'out_of_order', [2, false], 'not_found', 'not_found', 'stale_epoch'])
  })

  test('whatever is in it, leaves each sender an unbroken run of counters, and tells everybody what became of theirs', async () => {
    const submission = fc.record({
      who: fc.constantFrom(alice, bob),
      clientSeq: fc.integer({ min: 1, max: 6 }),
      epoch: fc.constantFrom(0, 0, 0, 1),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(submission, { maxLength: 14 }), async (submissions) => {
        const conversation = await converse([alice, bob])
        const entries = submissions.map(({ who, clientSeq, epoch }) => message(conversation, who, clientSeq, epoch))
        const outcomes = await Promise.allSettled(entries.map((entry) => server(0).store.append(entry)))
        const log = await ledger.entriesIn(server(0).database.kysely, { conversation, after: 0, end: 100, limit: 100 })
        expect(log.map(({ seq }) => seq)).toEqual(counting(log.length))
        for (const { device } of [alice, bob]) {
          const counters = log.filter(({ sender }) => sender === device).map(({ clientSeq }) => clientSeq)
          expect(counters).toEqual(counting(counters.length))
        }
        for (const [at, outcome] of outcomes.entries()) {
          const entry = entries[at]
          const stands = outcome.status === 'fulfilled' ? log[outcome.value.seq - 1] : undefined
          if (outcome.status === 'rejected') expect(['stale_epoch', 'out_of_order']).toContain(outcome.reason.failure)
          else expect([stands?.sender, stands?.clientSeq]).toEqual([entry?.sender, entry?.clientSeq])
          if (outcome.status === 'fulfilled' && !outcome.value.duplicate)
            expect(stands?.bytes).toEqual(entry && new Uint8Array(entry.bytes))
        }
      }),
      { numRuns: 40 },
    )
  })

  test('with one message that the database cannot take loses that one alone', async () => {
    const conversation = await converse([alice, bob])
    const broken = { ...message(conversation, bob, 1), time: 2 ** 70 }
    const outcomes = await Promise.allSettled([
      server(0).store.append(message(conversation, alice, 1)),
      server(0).store.append(broken),
      server(0).store.append(message(conversation, alice, 2)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('F-09: whose connection is cut is refused as unavailable, and said again it is there once', async () => {
    const conversation = await converse([alice, bob])
    await server(0).store.append(message(conversation, alice, 1))
    const entries = counting(200).map((at) => message(conversation, alice, at + 1))
    const sending = Promise.allSettled(entries.map((entry) => server(0).store.append(entry)))
    const cut = sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%WITH wanted%'
      and pid <> pg_backend_pid()`
    await cut.execute(server(1).database.kysely)
    for (const outcome of await sending) {
      if (outcome.status === 'rejected') expect(storageRefusal(outcome.reason)).toEqual(new Refusal('unavailable', { retryAfter: 1 }))
    }
    const again = []
    for (const entry of entries) again.push(await insist(entry))
    expect(again.map(({ seq }) => seq)).toEqual(counting(200).map((at) => at + 1))
  })
})
