/**
 * The receiving machine (threat model 6.5): entries in seq order; one transaction for what they change; only then the
 * screen, only then the acknowledgement. Entries seen before are passed over, missing ones are fetched first.
 *
 * What cannot be read is contained: a broken entry costs that entry, a broken conversation costs that conversation.
 */
import { equalBytes, limits, Refusal, routes, type ConversationId, type Entry } from '@tacit/contract'
import type { Conversation } from '../conversations/conversation.store.ts'
import { eraseGroup } from '../conversations/group.store.ts'
import type { DeviceCore } from '../device-core.ts'
import { findPin } from '../devices/people.store.ts'
import { StoreError } from '../local-store/failure.ts'
import { addItem } from '../messages/items.store.ts'
import { findSealed } from '../outbox/outbox.store.ts'
import { knownHashes } from '../rollback/rollback.store.ts'
import { stepBackIfLost } from '../rollback/step-back.ts'
import { sha256 } from '../sealing.ts'
import { Unreachable } from '../trouble.ts'
import { readEntry, skipEntry } from './read-entry.ts'
import { Reading } from './reading.ts'

/** `back`: this device had more than the server has now, and stepped back. `withheld`: an own join is on its way, and these may belong to what comes after it. */
type Taken = 'taken' | 'gap' | 'back' | 'not_ours' | 'withheld'

/** Takes what the socket brought. Rejects with `Unreachable` when a judgement needs the server: the rest comes again. */
export async function receiveEntries(core: DeviceCore, conversation: ConversationId, entries: readonly Entry[]): Promise<void> {
  const first = entries[0]
  if (!first || !isBehind(await takeEntries(core, conversation, entries))) return
  await catchUp(core, conversation, first.seq - 1)
  if (!isBehind(await takeEntries(core, conversation, entries)) || (await comeAgain(core, conversation))) return
  throw new Unreachable('the server left out a part of the log')
}

/** Whoever has read its removal and is still given entries was added again, and its Welcome is lost: it comes in by itself. */
async function comeAgain(core: DeviceCore, conversation: ConversationId): Promise<boolean> {
  const isOut = await core.conversations.hold(conversation, async ({ state, store }) => {
    if (state?.standing !== 'removed' && state?.standing !== 'left') return false
    await store({ state: { ...state, standing: 'joining' }, write: async () => undefined })
    return true
  })
  if (isOut) core.wake(conversation)
  return isOut
}

const isBehind = (taken: Taken): boolean => taken === 'gap' || taken === 'back'

/** Fetches and takes the log up to a position at least, as far as the server gives it. */
export async function catchUp(core: DeviceCore, conversation: ConversationId, upTo: number): Promise<void> {
  for (;;) {
    const state = await core.conversations.hold(conversation, async (hold) => hold.state)
    // Who reads its own removal stops there: what comes after it belongs to another membership.
    if (!state || state.cursor >= upTo || state.standing === 'removed' || state.standing === 'left') return
    const { cursor } = state
    const query = { after: cursor, limit: limits.entriesPerPage }
    const page = await core.session.call(routes.delivery.entries, { params: { conversation }, query })
    if (page.entries.length === 0) return
    const taken = await takeEntries(core, conversation, page.entries)
    if (taken === 'gap') await loseTrack(core, { conversation, cursor, rest: page.entries })
    else if (taken !== 'taken' && taken !== 'back') return
  }
}

/** Live entries are read at once; those of a catch-up under a marker, because the last process may have died of one. */
async function takeEntries(core: DeviceCore, conversation: ConversationId, entries: readonly Entry[]): Promise<Taken> {
  const first = entries[0]
  if (!first || core.wire.isOnline) return takeBatch(core, { conversation, entries, broken: new Set() })
  try {
    const taken = await takeCarefully(core, conversation, entries)
    if (taken === 'taken') await core.marker.passed(conversation)
    return taken
  } finally {
    await core.marker.survived()
  }
}

async function takeCarefully(core: DeviceCore, conversation: ConversationId, entries: readonly Entry[]): Promise<Taken> {
  const approach = await core.marker.approachTo(conversation)
  const [first] = entries
  if (first && approach.kind === 'together') {
    await core.marker.mark({ conversation, first, exact: false })
    return takeBatch(core, { conversation, entries, broken: new Set() })
  }
  const broken = new Set(approach.kind === 'together' || approach.deadly === undefined ? [] : [approach.deadly])
  for (const entry of entries) {
    await core.marker.mark({ conversation, first: entry, exact: true })
    const taken = await takeBatch(core, { conversation, entries: [entry], broken })
    if (taken !== 'taken') return taken
  }
  return 'taken'
}

interface Batch {
  readonly conversation: ConversationId
  readonly entries: readonly Entry[]
  /** Positions to pass over. */
  readonly broken: Set<number>
  /** The server was asked whether its log is still the one that was followed. */
  readonly asked?: true
}

/** Reads a batch; an entry that breaks the reading itself is passed over, and the batch read again without it. */
async function takeBatch(core: DeviceCore, batch: Batch): Promise<Taken> {
  const { conversation, entries, broken } = batch
  for (;;) {
    const outcome = await core.conversations.hold(conversation, async (hold): Promise<Outcome> => {
      const { state } = hold
      if (state && (await isAtTheDoor(core, state))) return { kind: 'withheld' }
      if (!state || state.standing === 'joining') return { kind: 'not_ours' }
      if (await contradicts(core, state, entries)) return { kind: 'apart' }
      const first = entries.find((entry) => entry.seq > state.cursor)
      if (first && first.seq !== state.cursor + 1) return { kind: 'gap' }
      const reading = new Reading(core, hold, state)
      const end = await readAll(reading, entries, broken)
      if (reading.suspicious && !batch.asked) return { kind: 'apart' }
      if (end.kind !== 'broken' && reading.state.cursor > state.cursor) await reading.store()
      return { ...end, reading }
    })
    if (outcome.kind === 'apart') return takeAfterAsking(core, batch)
    if (outcome.kind === 'gap') return 'gap'
    if (outcome.kind === 'not_ours') return passOver(core, { conversation, entries })
    if (outcome.kind === 'withheld') return withhold(core, { conversation, entries })
    if (outcome.kind === 'broken' && !broken.has(outcome.seq)) broken.add(outcome.seq)
    else if (outcome.kind === 'broken') throw outcome.error
    else {
      await afterwards(outcome.reading)
      if (outcome.kind === 'weather') throw outcome.error
      return 'taken'
    }
  }
}

type End =
  | { readonly kind: 'done' }
  /** No judgement was possible; what was read until then is kept. */
  | { readonly kind: 'weather'; readonly error: unknown }
  | { readonly kind: 'broken'; readonly seq: number; readonly error: unknown }
type Outcome =
  | { readonly kind: 'not_ours' }
  | { readonly kind: 'gap' }
  | { readonly kind: 'withheld' }
  /** The entries do not fit what this device has: the server may have lost the end of its log. */
  | { readonly kind: 'apart' }
  | (End & { readonly reading: Reading })

/** Whether an entry is at a place where this device has taken another one. */
async function contradicts(core: DeviceCore, { conversation, cursor }: Conversation, entries: readonly Entry[]): Promise<boolean> {
  const passed = entries.filter((entry) => entry.seq <= cursor)
  if (passed.length === 0) return false
  const ours = await knownHashes(core.store, { conversation, seq: passed[0]?.seq ?? 0 })
  for (const entry of passed) {
    const known = ours.get(entry.seq)
    if (known && !equalBytes(known, await sha256(entry.bytes))) return true
  }
  return false
}

/** When the server has lost a part of the log, this device steps back and takes it from there; else it goes on as it was about to. */
async function takeAfterAsking(core: DeviceCore, batch: Batch): Promise<Taken> {
  if (batch.asked) throw new Unreachable('the server gives other entries than it has')
  if (await stepBackIfLost(core, batch.conversation)) return 'back'
  return takeBatch(core, { ...batch, asked: true })
}

async function readAll(reading: Reading, entries: readonly Entry[], broken: ReadonlySet<number>): Promise<End> {
  for (const entry of entries) {
    if (entry.seq <= reading.state.cursor) continue
    // A hole inside a batch is the server's; what comes after it is fetched or sent again.
    if (entry.seq !== reading.state.cursor + 1) return { kind: 'weather', error: new Unreachable('a hole in a batch') }
    try {
      if (broken.has(entry.seq)) await skipEntry(reading, entry)
      else await readEntry(reading, entry)
    } catch (error) {
      if (error instanceof Unreachable || error instanceof Refusal) return { kind: 'weather', error }
      if (error instanceof StoreError) throw error
      return { kind: 'broken', seq: entry.seq, error }
    }
  }
  return { kind: 'done' }
}

async function afterwards(reading: Reading): Promise<void> {
  const { core, conversation, state } = reading
  for (const intent of reading.fulfilled) core.decided(intent)
  const arrivals = await Promise.all(
    reading.arrivals.map(async ({ account, ...arrival }) => ({
      ...arrival,
      sender: { account, handle: (await findPin(core.store, account))?.handle ?? '' },
    })),
  )
  core.acknowledge(conversation, state.cursor)
  core.received(conversation, arrivals)
  if (reading.heardHeads) core.headsHeard()
  for (const other of reading.besides) core.conversations.looksDifferent(other)
  core.wake(conversation)
}

/**
 * Entries of a conversation that this device has no group of: it will begin behind them, whichever way it comes in. They
 * are acknowledged, because a window that is full of them would hold up everything else.
 */
function passOver(core: DeviceCore, { conversation, entries }: Pick<Batch, 'conversation' | 'entries'>): 'not_ours' {
  const last = entries.at(-1)
  if (last) core.acknowledge(conversation, last.seq)
  return 'not_ours'
}

/** Whether the fate of an own join is open: the server may have accepted it, and then what comes after it is for this device. */
async function isAtTheDoor({ store }: DeviceCore, { conversation, standing }: Conversation): Promise<boolean> {
  if (standing !== 'joining' && standing !== 'paused') return false
  return (await findSealed(store, conversation))?.kind === 'join'
}

/**
 * Neither read nor acknowledged: with the group of the join they will be readable, and what every device has acknowledged
 * the server forgets. They are fetched when the join is complete, or passed over when it was refused.
 */
function withhold(core: DeviceCore, { conversation, entries }: Pick<Batch, 'conversation' | 'entries'>): 'withheld' {
  const last = entries.at(-1)
  if (last) core.withhold(conversation, last.seq)
  return 'withheld'
}

/** The server keeps no more what this device missed: the group cannot be followed, and has to be joined anew. */
async function loseTrack(
  core: DeviceCore,
  { conversation, cursor, rest }: { conversation: ConversationId; cursor: number; rest: readonly Entry[] },
): Promise<void> {
  const first = rest[0]
  if (!first) return
  await core.conversations.hold(conversation, async (hold) => {
    const { state } = hold
    // Asked for with another cursor, which a step back has moved since: no hole of the server's.
    if (!state || state.cursor !== cursor || cursor >= first.seq) return
    const { seq, time } = { seq: first.seq - 1, time: first.time }
    await hold.store({
      state: { ...state, cursor: seq, ...(state.standing === 'active' && { standing: 'paused' }) },
      group: 'none',
      write: async (writer) => {
        await eraseGroup(writer, conversation)
        await addItem(writer, { conversation, seq, time, item: { kind: 'unreadable', reason: 'unknown', account: undefined } })
      },
    })
  })
}
