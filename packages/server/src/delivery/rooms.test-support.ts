/** The rooms that carry messages on a real database, with real groups and without doors: everybody is on their list. */
import { ConversationId, type BodyOf, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Notice } from '../bus/bus.ts'
import { createBells } from '../bus/bells.ts'
import { createInProcessBus } from '../bus/in-process.ts'
import { Conversations } from '../conversations/conversations.ts'
import { CLASSIC_SUITE, Seats, type Change } from '../conversations/seats.test-support.ts'
import { Turns } from '../conversations/turns.ts'
import type { Person } from '../identity.test-support.ts'
import { systemRandom } from '../random.ts'
import { Signals } from '../signals/signals.ts'
import { openHotPath } from '../hot-path.ts'
import type { Database } from '../storage/database.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import { Delivery, ledger } from './delivery.ts'
import type { Line } from './feed.ts'
import { framedMessage } from './framing.test-support.ts'
import { Retention, type RetentionSettings } from './retention.ts'

export const newConversation = (): ConversationId => ConversationId.parse(systemRandom.id())

export async function openRooms(
  options: {
    isListed?: (device: DeviceId) => boolean
    maxMembers?: number
    suites?: readonly number[]
    retention?: Partial<RetentionSettings>
  } = {},
) {
  const { isListed = () => true, maxMembers = 1000, suites = [CLASSIC_SUITE] } = options
  const database = await openTestDatabase()
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  /** Stands still unless it is moved. */
  const stopwatch = { time: 0 }
  const faults: unknown[] = []
  const bus = createInProcessBus((error) => faults.push(error))
  const rung: Notice[] = []
  for (const kind of ['log', 'mailbox', 'account_joined', 'signal', 'presence'] as const) bus.listen(kind, (notice) => rung.push(notice))
  const counted = { commit: 0, message: 0, proposal: 0, back: 0 }
  const metrics = { accepted: (kind: 'commit' | 'message' | 'proposal') => void counted[kind]++, cursorWentBack: () => void counted.back++ }
  const onFault = (error: unknown): void => void faults.push(error)
  const bells = createBells({ database, bus, clock, random: systemRandom, several: false })
  const shared = { database, clock, bus, bells, metrics, onFault, assertRoom: () => undefined }
  const hot = openHotPath(database, { onBatch: () => undefined, onCursorBack: () => metrics.cursorWentBack(), several: false })
  const turns = new Turns({ bus, clock, random: systemRandom, isConnected: () => true, tell: () => undefined })
  const newConversations = () =>
    new Conversations({
      ...shared,
      random: systemRandom,
      turns,
      maxMembers,
      suites,
      registry: { isListed: ({ device }) => Promise.resolve(isListed(device)) },
      accountExists: () => Promise.resolve(true),
    })
  const conversations = newConversations()
  const signals = new Signals({ ...shared, store: hot.signals, isMember: (pair) => delivery.isMember(pair) })
  const delivery: Delivery = new Delivery({
    ...shared,
    store: hot.delivery,
    mail: conversations.mail,
    acceptProposal: conversations.acceptProposal,
    kept: (device, after) => signals.kept(device, after),
    elapsed: () => stopwatch.time,
  })
  const settings = { keepFor: 30 * DAY, grace: DAY, conversationsPerRun: 100, entriesPerRun: 1000, ...options.retention }
  const accepted = () => counted.commit + counted.message + counted.proposal
  const newRetention = () =>
    new Retention({ database, clock, lag: { worst: 0 }, settings, accepted, welcomes: conversations.outstandingWelcomes })
  return {
    database,
    clock,
    stopwatch,
    bus,
    rung,
    faults,
    counted,
    ledger: readingLedger(database),
    store: hot.delivery,
    conversations,
    seats: new Seats({ conversations, database, now: () => clock.time }),
    delivery,
    signals,
    retention: newRetention(),
    /** As another server has them. */
    newRetention,
    newConversations,
    async close() {
      delivery.stop()
      await database.close()
    },
  }
}

/** What the store has, for tests that look behind the rooms. */
const readingLedger = ({ kysely }: Database) => ({
  place: (conversation: ConversationId, device: DeviceId) => ledger.placeOf(kysely, { conversation, device }),
  log: (conversation: ConversationId) => ledger.logOf(kysely, conversation),
  entries: (conversation: ConversationId) => ledger.entriesIn(kysely, { conversation, after: 0, end: 10_000, limit: 10_000 }),
  hashes: (conversation: ConversationId) => ledger.hashesIn(kysely, { conversation, after: 0, end: 10_000, limit: 10_000 }),
  pastMemberships: (conversation: ConversationId) =>
    kysely.selectFrom('past_membership').selectAll().where('conversation', '=', conversation).execute(),
  welcomes: () => kysely.selectFrom('welcome').select(['id', 'device', 'position']).orderBy('position').execute(),
})

export type Rooms = Awaited<ReturnType<typeof openRooms>>

export const DAY = 86_400_000

/** A conversation of people: opened by the first, who adds the others with one commit. Epoch 1 and head 1, or 0 alone. */
export async function converse(rooms: Rooms, [creator, ...others]: readonly Person[]): Promise<ConversationId> {
  if (!creator) throw new TypeError('a conversation has a creator')
  const conversation = newConversation()
  await rooms.conversations.create(creator, await rooms.seats.found(creator, { conversation }))
  if (others.length > 0) await commit(rooms, creator, { conversation, clientSeq: 1, added: others })
  return conversation
}

/** A member's commit that holds, sealed and sent. */
export async function commit(rooms: Rooms, by: Person, change: Change): Promise<ResultOf<'conversations.commit'>> {
  const accepted = await rooms.conversations.commit(by, await rooms.seats.seal(by, change))
  await rooms.seats.groupOf(change.conversation, by)
  return accepted
}

interface At {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly clientSeq: number
}

export const messageOf = (at: At, size?: number): BodyOf<'delivery.send'> => ({
  ...at,
  bytes: framedMessage({ ...at, ...(size !== undefined && { size }) }),
})

/** A line that keeps what it was sent. */
export function lineOf({
  account,
  device,
}: Pick<Person, 'account' | 'device'>): Line & { readonly frames: Uint8Array[]; congested: boolean } {
  const frames: Uint8Array[] = []
  return { account, device, frames, congested: false, send: (frame) => void frames.push(frame) }
}

/** The refusal's name, or `accepted`. */
export async function outcomeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'accepted'
  } catch (error) {
    if (error instanceof Error && 'failure' in error) return String(error.failure)
    throw error
  }
}
