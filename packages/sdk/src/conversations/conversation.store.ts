/** Rows of conversations: standing, place in the log, counters. The members of a group are in roster.store.ts, its MLS state in group.store.ts. */
import { AccountId, ConversationId, ConversationKind } from '@tacit/contract'
import type { ConversationStanding } from '../api.ts'
import { blob, id, integer, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'
import type { Rotation } from './rotation.ts'

/** `stuck` is paused, and stays it. */
export type StoredStanding = Exclude<ConversationStanding, 'stuck'>

/** What changes as the log goes on. Immutable: a step gives the next one. */
export interface Conversation {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly standing: StoredStanding
  /** Paused by a commit that breaks the rules: not repaired by joining anew, which would accept it. */
  readonly stuck: boolean
  /** Of a group, as last said by a member; empty when never heard. */
  readonly title: string
  /** Somebody joined at this position who may not know the title; 0 when nobody waits for it. */
  readonly titleOwed: number
  /** The other person of a direct conversation. */
  readonly peer: AccountId | undefined
  readonly epoch: number
  /** Everything up to here is stored. */
  readonly cursor: number
  /** H at the cursor; empty while it is not known, because the server keeps no more of the hashes before. */
  readonly transcript: Uint8Array
  /** Where this device's log begins: nothing at or before this position is for it. */
  readonly begins: number
  /** Counter of this device's last entry in the log. */
  readonly clientSeq: number
  readonly readSeq: number
  readonly rotation: Rotation
  /** Milliseconds, for the order of the list. */
  readonly activity: number
}

const COLUMNS = [
  'conversation',
  'kind',
  'standing',
  'stuck',
  'title',
  'title_owed',
  'peer',
  'epoch',
  'cursor',
  'transcript',
  'begins',
  'client_seq',
  'read_seq',
  'healed',
  'activity',
  'healing',
  'exchanged',
  'heard',
  'front_from',
  'turn_from',
]

const UPSERT = `insert into conversation (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})
  on conflict (conversation) do update set ${COLUMNS.slice(1)
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`

export const saveConversation = (writer: Writer, state: Conversation): Promise<void> =>
  writer.run(UPSERT, [
    state.conversation,
    state.kind,
    state.standing,
    state.stuck ? 1 : 0,
    state.title,
    state.titleOwed,
    state.peer ?? null,
    state.epoch,
    state.cursor,
    state.transcript,
    state.begins,
    state.clientSeq,
    state.readSeq,
    state.rotation.updated,
    state.activity,
    state.rotation.sealed,
    state.rotation.exchanged,
    state.rotation.heard ? 1 : 0,
    state.rotation.frontFrom,
    state.rotation.turnFrom,
  ])

export async function findConversation(reader: Reader, conversation: ConversationId): Promise<Conversation | undefined> {
  const row = await reader.get('select * from conversation where conversation = ?', [conversation])
  return row && readConversation(row)
}

export async function allConversations(reader: Reader): Promise<readonly Conversation[]> {
  return (await reader.all('select * from conversation')).map(readConversation)
}

/** How far this device has read in the conversations that it follows, at most so many. */
export async function followedCursors(reader: Reader, most: number): Promise<{ conversation: ConversationId; seq: number }[]> {
  const rows = await reader.all("select conversation, cursor from conversation where standing in ('active', 'paused') limit ?", [most])
  return rows.map((row) => ({ conversation: id(row, 'conversation', ConversationId), seq: integer(row, 'cursor') }))
}

/** The direct conversation with somebody, if there is one. */
export async function findDirect(reader: Reader, peer: AccountId): Promise<Conversation | undefined> {
  const row = await reader.get("select * from conversation where kind = 'direct' and peer = ? and standing not in ('left', 'removed')", [
    peer,
  ])
  return row && readConversation(row)
}

const OF_A_CONVERSATION = [
  'conversation',
  'group_state',
  'member',
  'transcript',
  'counter',
  'item',
  'outbox',
  'sealed',
  'attempt',
  'intent',
  'receipt',
  'signal_key',
  'offered',
  'lost_entry',
  'rollback',
]

/** Forgets everything about a conversation. */
export async function eraseConversation(writer: Writer, conversation: ConversationId): Promise<void> {
  for (const table of OF_A_CONVERSATION) await writer.run(`delete from ${table} where conversation = ?`, [conversation])
}

const STANDINGS: readonly StoredStanding[] = ['active', 'joining', 'left', 'removed', 'paused']

function readConversation(row: Row): Conversation {
  const standing = STANDINGS.find((known) => known === row['standing'])
  if (!standing) throw storeError('damaged')
  return {
    conversation: id(row, 'conversation', ConversationId),
    kind: id(row, 'kind', ConversationKind),
    standing,
    stuck: row['stuck'] === 1,
    title: text(row, 'title'),
    titleOwed: integer(row, 'title_owed'),
    peer: row['peer'] === null ? undefined : id(row, 'peer', AccountId),
    epoch: integer(row, 'epoch'),
    cursor: integer(row, 'cursor'),
    transcript: blob(row, 'transcript'),
    begins: integer(row, 'begins'),
    clientSeq: integer(row, 'client_seq'),
    readSeq: integer(row, 'read_seq'),
    rotation: {
      updated: integer(row, 'healed'),
      sealed: integer(row, 'healing'),
      exchanged: integer(row, 'exchanged'),
      heard: row['heard'] === 1,
      frontFrom: integer(row, 'front_from'),
      turnFrom: integer(row, 'turn_from'),
    },
    activity: integer(row, 'activity'),
  }
}
