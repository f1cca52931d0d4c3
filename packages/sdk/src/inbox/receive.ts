/**
 * The receiving machine (threat model 6.5): entries in seq order; one transaction for what they change; only then the
 * screen, only then the acknowledgement. Entries seen before are passed over, missing ones are fetched first.
 */
import { limits, Refusal, routes, type ConversationId, type Entry } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import { findPin } from '../devices/people.store.ts'
import { Unreachable } from '../trouble.ts'
import { readEntry } from './read-entry.ts'
import { Reading } from './reading.ts'

/** Takes what the socket brought. Rejects with `Unreachable` when a judgement needs the server: the rest comes again. */
export async function receiveEntries(core: DeviceCore, conversation: ConversationId, entries: readonly Entry[]): Promise<void> {
  const first = entries[0]
  if (!first) return
  const gap = await takeEntries(core, conversation, entries)
  if (gap === 'gap') {
    await catchUp(core, conversation, first.seq - 1)
    if ((await takeEntries(core, conversation, entries)) === 'gap') throw new Unreachable('the server left out a part of the log')
  }
}

/** Fetches and takes the log up to a position at least, as far as the server gives it. */
export async function catchUp(core: DeviceCore, conversation: ConversationId, upTo: number): Promise<void> {
  for (;;) {
    const cursor = await core.conversations.hold(conversation, async (hold) => hold.state?.cursor)
    if (cursor === undefined || cursor >= upTo) return
    const query = { after: cursor, limit: limits.entriesPerPage }
    const page = await core.session.call(routes.delivery.entries, { params: { conversation }, query })
    if (page.entries.length === 0 || (await takeEntries(core, conversation, page.entries)) !== 'taken') return
  }
}

async function takeEntries(
  core: DeviceCore,
  conversation: ConversationId,
  entries: readonly Entry[],
): Promise<'taken' | 'gap' | 'not_ours'> {
  let weather: unknown
  const reading = await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state || hold.state.standing === 'joining') return 'not_ours'
    const first = entries.find((entry) => entry.seq > (hold.state?.cursor ?? 0))
    if (first && first.seq !== hold.state.cursor + 1) return 'gap'
    const started = new Reading(core, hold, hold.state)
    weather = await readAll(started, entries)
    if (started.state.cursor > hold.state.cursor) await started.store()
    return started
  })
  if (typeof reading === 'string') return reading
  await afterwards(reading)
  if (weather) throw weather
  return 'taken'
}

/** Reads as far as the weather allows; what was read until then is kept. */
async function readAll(reading: Reading, entries: readonly Entry[]): Promise<unknown> {
  for (const entry of entries) {
    if (entry.seq <= reading.state.cursor) continue
    // A hole inside a batch is the server's; what comes after it is fetched or sent again.
    if (entry.seq !== reading.state.cursor + 1) return new Unreachable('a hole in a batch')
    try {
      await readEntry(reading, entry)
    } catch (error) {
      if (error instanceof Unreachable || error instanceof Refusal) return error
      throw error
    }
  }
  return undefined
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
  core.received(conversation, arrivals)
  core.wake(conversation)
  // Unanswered is no harm: the next acknowledgement covers this one.
  core.wire.send('delivery.acknowledge', { cursors: [{ conversation, seq: state.cursor }] }).catch(() => undefined)
}
