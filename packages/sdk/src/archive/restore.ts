/** Puts a segment of the archive into the timelines of this device: its conversations first, then all its items in one transaction. */
import type { ConversationId } from '@tacit/contract'
import { emptyConversation } from '../conversations/join-by-welcome.ts'
import type { DeviceCore } from '../device-core.ts'
import { forgetMessage, isExpired, markRead, placeItem, savePersonName } from './archive.store.ts'
import type { SegmentEntry } from './head.ts'
import type { ArchivedConversation, Segment } from './segment.ts'

type RestoreCore = Pick<DeviceCore, 'store' | 'conversations' | 'clock' | 'account'>

/** Resolves with the conversations that look different now. A process that dies in between begins with this segment again. */
export async function placeSegment(core: RestoreCore, segment: Segment, entry: SegmentEntry): Promise<ReadonlySet<ConversationId>> {
  await placeConversations(core, segment)
  return core.store.transaction(async (writer) => {
    for (const person of segment.people) await savePersonName(writer, person)
    const touched = new Set<ConversationId>()
    const now = core.clock.now()
    for (const item of segment.items) {
      if (isExpired(item, now)) continue
      if (item.kind === 'forgotten') await forgetMessage(writer, { ...item, segment: entry.number }, true)
      const placed = item.kind === 'forgotten' || (await placeItem(writer, item, { me: core.account, segment: entry.number }))
      if (placed) touched.add(item.conversation)
    }
    await markRead(writer, entry)
    return touched
  })
}

/**
 * A conversation that this device is not in is one that its person has left, until the server says that there is a place for
 * this device. Of one that it is in and does not know the name of yet, or is about to join, it learns what it is called: those who
 * could say it anew may be away for long.
 */
export async function placeConversations(
  core: RestoreCore,
  { conversations, items }: Pick<Segment, 'conversations' | 'items'>,
): Promise<void> {
  const newest = new Map<ConversationId, number>()
  for (const { conversation, time } of items) newest.set(conversation, Math.max(time, newest.get(conversation) ?? 0))
  for (const archived of conversations) await placeConversation(core, archived, newest.get(archived.conversation) ?? 0)
}

async function placeConversation(core: RestoreCore, archived: ArchivedConversation, newest: number): Promise<void> {
  const { conversation, kind, title, peer } = archived
  const sql = 'select 1 as found from conversation where conversation = ?1 and (title = ?2 or title <> ?3)'
  if (await core.store.get(sql, [conversation, title, ''])) return
  await core.conversations.hold(conversation, async (hold) => {
    const { state } = hold
    if (!state) {
      const empty = emptyConversation({ conversation, kind, now: newest })
      return hold.store({ state: { ...empty, standing: 'left', title, peer }, write: async () => undefined })
    }
    if (state.title !== '') return undefined
    return hold.store({ state: { ...state, title, peer: state.peer ?? peer }, write: async () => undefined })
  })
}
