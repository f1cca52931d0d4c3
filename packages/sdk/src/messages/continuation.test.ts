import { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import { beforeEach, expect, test } from 'vitest'
import { saveConversation } from '../conversations/conversation.store.ts'
import { emptyConversation } from '../conversations/join-by-welcome.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { mintId } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'
import { continuationOf, tellContinuation } from './continuation.ts'

const next = mintId(platformRandom, ConversationId)
const [member, stranger] = [mintId(platformRandom, AccountId), mintId(platformRandom, AccountId)]

let store: StoreDriver
beforeEach(async () => {
  store = openMemoryStore()
  await migrate(store)
})

async function group(kind: 'group' | 'direct'): Promise<ConversationId> {
  const conversation = mintId(platformRandom, ConversationId)
  await store.transaction(async (writer) => {
    await saveConversation(writer, { ...emptyConversation({ conversation, kind, now: 1 }), standing: 'paused', stuck: true })
    const device = mintId(platformRandom, DeviceId)
    await writer.run('insert into member (conversation, device, account, leaf, admin) values (?, ?, ?, 0, 0)', [
      conversation,
      device,
      member,
    ])
  })
  return conversation
}

const told = (before: ConversationId, by: AccountId, to = next): Promise<boolean> =>
  store.transaction((writer) => tellContinuation(writer, { before, next: to, by, time: 2 }))

const lines = async (conversation: ConversationId): Promise<number> =>
  (await store.all("select 1 from item where conversation = ? and kind = 'notice'", [conversation])).length

test('where a group goes on is shown in it once, by the newest word of a member', async () => {
  const before = await group('group')
  await told(before, member)
  await told(before, member)
  expect([await lines(before), await continuationOf(store, before)]).toEqual([1, next])
  const later = mintId(platformRandom, ConversationId)
  await told(before, member, later)
  expect([await lines(before), await continuationOf(store, before)]).toEqual([2, later])
})

test('the word of somebody who was not in it is not shown in it, and a conversation of two goes on nowhere', async () => {
  const [before, direct] = [await group('group'), await group('direct')]
  await told(before, stranger)
  await told(direct, member)
  await told(mintId(platformRandom, ConversationId), member)
  expect([await lines(before), await lines(direct)]).toEqual([0, 0])
  expect(await continuationOf(store, before)).toBeUndefined()
})
