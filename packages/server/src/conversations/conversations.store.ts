/** Every query on the conversations room's tables. */
import type { ConversationId, ConversationKind, DeviceId, WelcomeId } from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Bytes } from '../delivery/delivery.store.ts'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

export interface ConversationRow {
  readonly id: ConversationId
  readonly kind: ConversationKind
  readonly directPair: string | null
}

export interface StoredWelcome {
  readonly welcome: WelcomeId
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly seq: number
  /** The epoch that it leads into. */
  readonly epoch: number
  readonly bytes: Bytes
}

export interface NewWelcome {
  readonly id: WelcomeId
  readonly device: DeviceId
  readonly conversation: ConversationId
  readonly epoch: number
  readonly seq: number
  readonly createdAt: number
  readonly bytes: Uint8Array
}

const conversations = (db: Reader) => db.selectFrom('conversation').select(['id', 'kind', 'direct_pair as directPair'])

export const findConversation = (db: Reader, id: ConversationId): Promise<ConversationRow | undefined> =>
  conversations(db).where('id', '=', id).executeTakeFirst()

export const findDirect = (db: Reader, pair: string): Promise<ConversationRow | undefined> =>
  conversations(db).where('direct_pair', '=', pair).executeTakeFirst()

export const addConversation = (tx: Writer, { id, kind, directPair, createdAt }: ConversationRow & { createdAt: number }) =>
  tx.insertInto('conversation').values({ id, kind, direct_pair: directPair, created_at: createdAt }).execute()

export async function groupInfoOf(db: Reader, id: ConversationId): Promise<{ epoch: number; head: number; bytes: Bytes } | undefined> {
  const row = await db
    .selectFrom('group_info')
    .innerJoin('log', 'log.conversation', 'group_info.conversation')
    .select(['group_info.epoch', 'log.head', 'group_info.bytes'])
    .where('group_info.conversation', '=', id)
    .executeTakeFirst()
  return row && { ...row, bytes: new Uint8Array(row.bytes) }
}

export const addWelcomes = (tx: Writer, welcomes: readonly NewWelcome[]) =>
  tx
    .insertInto('welcome')
    .values(welcomes.map(({ createdAt, ...welcome }) => ({ ...welcome, created_at: createdAt })))
    .execute()

/** Only the device's own. */
export const forgetWelcomes = (tx: Writer, device: DeviceId, welcomes: readonly WelcomeId[]) =>
  tx.deleteFrom('welcome').where('device', '=', device).where('id', 'in', welcomes).execute()

export const forgetWelcomesBefore = (tx: Writer, conversation: ConversationId, before: number) =>
  tx.deleteFrom('welcome').where('conversation', '=', conversation).where('created_at', '<', before).execute()

/** The lowest epoch that a commit with a waiting welcome ended. */
export async function lowestWelcomeEpoch(db: Reader, conversation: ConversationId): Promise<number | undefined> {
  const row = await db
    .selectFrom('welcome')
    .select(({ fn }) => fn.min('epoch').as('epoch'))
    .where('conversation', '=', conversation)
    .executeTakeFirst()
  return row?.epoch ?? undefined
}

/** Where the device's welcomes stand, in their order. */
export async function waitingWelcomes(db: Reader, device: DeviceId): Promise<number[]> {
  const rows = await db.selectFrom('welcome').select('position').where('device', '=', device).orderBy('position').execute()
  return rows.map(({ position }) => position)
}

export async function welcomeAt(db: Reader, device: DeviceId, position: number): Promise<StoredWelcome | undefined> {
  const row = await db
    .selectFrom('welcome')
    .innerJoin('conversation', 'conversation.id', 'welcome.conversation')
    .select(['welcome.id as welcome', 'welcome.conversation', 'conversation.kind', 'welcome.seq', 'welcome.epoch', 'welcome.bytes'])
    .where('welcome.position', '=', position)
    .where('welcome.device', '=', device)
    .executeTakeFirst()
  return row && { ...row, epoch: row.epoch + 1, bytes: new Uint8Array(row.bytes) }
}
