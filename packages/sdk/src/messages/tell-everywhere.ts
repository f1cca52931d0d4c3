/** Lines that cannot be missed: in every conversation that they concern. */
import type { AccountId, ConversationId } from '@tacit/contract'
import { allConversations } from '../conversations/conversation.store.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import type { Clock } from '../surroundings.ts'
import { addItem, type StoredNotice } from './items.store.ts'

interface Telling {
  readonly store: StoreDriver
  readonly clock: Pick<Clock, 'now'>
  readonly changed: (conversation: ConversationId) => void
}

/** Adds a line to conversations: to one (`only`), to those with a person, or to all. */
export async function tellEverywhere(
  { store, clock, changed }: Telling,
  notice: StoredNotice,
  where: { readonly person?: AccountId | undefined; readonly only?: ConversationId | undefined } = {},
): Promise<void> {
  const { person, only } = where
  const sql = 'select distinct conversation from member where account = ?'
  const withPerson = person && new Set((await store.all(sql, [person])).map((row) => row['conversation']))
  const time = clock.now()
  for (const { conversation, cursor } of await allConversations(store)) {
    if (only ? conversation !== only : withPerson && !withPerson.has(conversation)) continue
    await store.transaction((writer) => addItem(writer, { conversation, seq: cursor, time, item: { kind: 'notice', notice } }))
    changed(conversation)
  }
}
