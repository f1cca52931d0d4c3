import { AccountId, ConversationId, MessageId } from '@tacit/contract'
import { beforeEach, expect, test } from 'vitest'
import type { IncomingMessage } from '../api.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { toldMessages } from './told.ts'

const conversation = mintId(random, ConversationId)
const said = (account: AccountId): IncomingMessage => ({
  conversation,
  message: mintId(random, MessageId),
  sender: { account, handle: 'somebody' },
  mine: false,
  text: 'hello',
  time: 1,
  seq: 1,
})
const [friend, blocked] = [said(mintId(random, AccountId)), said(mintId(random, AccountId))]

let store: StoreDriver
beforeEach(async () => {
  store = openMemoryStore()
  await migrate(store)
  await store.transaction((writer) => writer.run('insert into contact (account, blocked) values (?, ?)', [blocked.sender.account, 1]))
})

const inConversation = (admission: string) =>
  store.transaction((writer) =>
    writer.run(
      `insert into conversation (conversation, kind, standing, stuck, title, title_owed, peer, epoch, cursor, transcript, begins, client_seq,
         read_seq, healed, activity, admission) values (?, 'group', 'active', 0, '', 0, null, 1, 1, x'', 0, 0, 0, 0, 0, ?)`,
      [conversation, admission],
    ),
  )

test('what a blocked person says is told to nobody', async () => {
  await inConversation('accepted')
  expect(await toldMessages(store, conversation, [blocked, friend])).toEqual([friend])
})

test('what is said where its person was asked in is told as that, and where they declined not at all', async () => {
  await inConversation('asked')
  expect(await toldMessages(store, conversation, [friend, blocked])).toEqual([{ ...friend, request: true }])
  await store.transaction((writer) => writer.run("update conversation set admission = 'declined'"))
  expect(await toldMessages(store, conversation, [friend])).toEqual([])
})
