/** What this device knows of the archive, and every query on what it has to put there or has from there. */
import { ConversationId, decodeCbor, encodeCbor, MessageId, AccountId } from '@tacit/contract'
import { blob, id, integer, optionalText, text } from '../local-store/columns.ts'
import type { Reader, Row, StoreDriver, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'
import { readStoredNotice } from './notices.ts'
import type { ArchivedItem, ArchivedPerson } from './segment.ts'

/** What the server did that it cannot have done by mistake of ours. */
export type ArchiveAlarm = 'rolled_back' | 'forked'

/** The newest head that this device has seen. */
export interface KnownHead {
  readonly version: number
  /** The first bytes of its hash; empty before the first. */
  readonly mark: Uint8Array
  /** Segments before this number were erased. */
  readonly first: number
  /** Stays until the person has seen it. */
  readonly alarm: ArchiveAlarm | undefined
}

const NOTHING_KNOWN: KnownHead = { version: 0, mark: new Uint8Array(), first: 1, alarm: undefined }
const ALARMS: readonly ArchiveAlarm[] = ['rolled_back', 'forked']

export async function loadKnownHead(reader: Reader): Promise<KnownHead> {
  const row = await reader.get("select value from setting where name = 'archive'")
  if (!row) return NOTHING_KNOWN
  const value = decodeCbor(blob(row, 'value'))
  if (!Array.isArray(value)) throw storeError('damaged')
  const [version, mark, first, alarm] = value
  if (typeof version !== 'number' || !(mark instanceof Uint8Array) || typeof first !== 'number') throw storeError('damaged')
  return { version, mark, first, alarm: ALARMS.find((known) => known === alarm) }
}

export const saveKnownHead = (writer: Writer, { version, mark, first, alarm }: KnownHead): Promise<void> =>
  writer.run("insert or replace into setting (name, value) values ('archive', ?)", [encodeCbor([version, mark, first, alarm ?? null])])

/** An item of this device, and the row it is. */
export interface OwnItem {
  readonly item: ArchivedItem
  readonly part: number
}

/** Nothing of conversations that the person has not taken up: strangers do not fill the archive. */
const PENDING = `segment is null and kind in ('message', 'notice')
  and conversation not in (select conversation from conversation where admission <> 'accepted')`

/** The oldest items that are not in the archive as far as this device knows. What is not for an archive is marked so on the way. */
export async function pendingItems(store: StoreDriver, { now, most }: { now: number; most: number }): Promise<readonly OwnItem[]> {
  for (;;) {
    const rows = await store.all(`select * from item where ${PENDING} order by time limit ?`, [most])
    const read = rows.map((row) => ({ row, part: integer(row, 'part'), item: readItem(row) }))
    const items = read.flatMap(({ item, part }) => (item && !isExpired(item, now) ? [{ item, part }] : []))
    if (items.length > 0 || rows.length === 0) return items
    await store.transaction(async (writer) => {
      for (const { row, part } of read)
        await writer.run('update item set segment = 0 where conversation = ? and seq = ? and part = ?', [
          text(row, 'conversation'),
          integer(row, 'seq'),
          part,
        ])
    })
  }
}

export const isExpired = (item: ArchivedItem, now: number): boolean =>
  item.kind === 'message' && item.expires !== undefined && item.expires <= now

export async function countPending(reader: Reader): Promise<number> {
  const row = await reader.get(`select count(*) as pending from item where ${PENDING}`)
  return row ? integer(row, 'pending') : 0
}

/** What this device wrote is in the archive. An item that has moved in the log meanwhile is known by its message. */
export async function markArchived(writer: Writer, items: readonly OwnItem[], segment: number): Promise<void> {
  const anyForgotten = await writer.get('select 1 as found from forgotten where told = 0 limit 1')
  for (const { item, part } of items) {
    if (item.kind === 'message')
      await writer.run('update item set segment = ? where conversation = ? and message = ?', [segment, item.conversation, item.message])
    // Deleted while it was on its way: it has to be taken out again.
    if (item.kind === 'message' && anyForgotten) await foundForgotten(writer, item, segment)
    if (item.kind === 'notice')
      await writer.run('update item set segment = ? where conversation = ? and seq = ? and part = ? and detail = ?', [
        segment,
        item.conversation,
        item.seq,
        part,
        item.detail,
      ])
  }
}

/** Whatever was in segments that are gone, or in an archive that is not the one that was known, is not in it. */
export async function forgetSegments(writer: Writer, before: number): Promise<void> {
  await writer.run('update item set segment = null where segment > 0 and segment < ?', [before])
  await writer.run('update forgotten set told = 0 where told = 1 and segment < ?', [before])
  await writer.run('delete from archive_read where number < ?', [before])
}

/** There is another archive from now on, with nothing in it. */
export async function forgetArchive(writer: Writer): Promise<void> {
  await forgetSegments(writer, Number.MAX_SAFE_INTEGER)
  await writer.run("delete from setting where name = 'archive'")
}

export async function numbersRead(reader: Reader): Promise<ReadonlySet<number>> {
  return new Set((await reader.all('select number from archive_read')).map((row) => integer(row, 'number')))
}

export async function markRead(writer: Writer, { number, through }: { readonly number: number; readonly through: number }): Promise<void> {
  for (let one = number; one <= through; one++) await writer.run('insert or ignore into archive_read (number) values (?)', [one])
}

/** Puts an item from the archive, or from a file (`segment` null), into its timeline, unless it is there. */
export async function placeItem(
  writer: Writer,
  item: ArchivedItem,
  { me, segment }: { me: AccountId; segment: number | null },
): Promise<boolean> {
  if (item.kind === 'forgotten') return false
  const { conversation, seq, time } = item
  if (item.kind === 'message' && (await isForgotten(writer, conversation, item.message))) {
    if (segment !== null) await foundForgotten(writer, item, segment)
    return false
  }
  if (await isThere(writer, item, segment)) return false
  const row =
    item.kind === 'message'
      ? {
          message: item.message,
          account: item.account,
          mine: item.account === me ? 1 : 0,
          text: item.text,
          expires: item.expires ?? null,
          detail: null,
        }
      : { message: null, account: null, mine: 0, text: null, expires: null, detail: item.detail }
  await writer.run(
    `insert into item (conversation, seq, part, kind, message, account, mine, text, detail, time, expires, segment, restored)
     values (?1, ?2, (select coalesce(max(part) + 1, 0) from item where conversation = ?1 and seq = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1)`,
    [conversation, seq, item.kind, row.message, row.account, row.mine, row.text, row.detail, time, row.expires, segment],
  )
  return true
}

/** A segment has what was deleted: it is taken out when the archive is told of the deletion. */
const foundForgotten = (
  writer: Writer,
  { conversation, message }: Pick<Forgotten, 'conversation' | 'message'>,
  segment: number,
): Promise<void> =>
  writer.run('update forgotten set segment = ? where conversation = ? and message = ? and told = 0', [segment, conversation, message])

/** Whether this device has it; then it knows now which segment has it, too. */
async function isThere(writer: Writer, item: Exclude<ArchivedItem, { kind: 'forgotten' }>, segment: number | null): Promise<boolean> {
  const same =
    item.kind === 'message'
      ? { where: 'conversation = ? and message = ?', values: [item.conversation, item.message] }
      : { where: "conversation = ? and seq = ? and kind = 'notice' and detail = ?", values: [item.conversation, item.seq, item.detail] }
  const row = await writer.get(`select segment from item where ${same.where}`, same.values)
  if (!row) return false
  if (row['segment'] === null && segment !== null)
    await writer.run(`update item set segment = ? where ${same.where}`, [segment, ...same.values])
  return true
}

/** A message that its person deleted for themselves. */
export interface Forgotten {
  readonly conversation: ConversationId
  readonly seq: number
  readonly message: MessageId
  readonly time: number
  /** The segment that had it, as far as this device knows; 0 when it knows none. */
  readonly segment: number
}

/** Takes it out of this device; `told`: the archive says so already, in this segment. */
export async function forgetMessage(
  writer: Writer,
  { conversation, seq, message, time, segment }: Forgotten,
  told: boolean,
): Promise<void> {
  await writer.run(
    `insert into forgotten (conversation, message, seq, time, segment, told) values (?1, ?2, ?3, ?4, ?5, ?6)
     on conflict (conversation, message) do update set told = max(told, excluded.told), segment = max(segment, excluded.segment)`,
    [conversation, message, seq, time, segment, told ? 1 : 0],
  )
  // In the log its id has to stay known; what came from the archive leaves nothing.
  await writer.run('delete from item where conversation = ? and message = ? and restored = 1', [conversation, message])
  await writer.run("update item set kind = 'silent', text = null where conversation = ? and message = ? and kind = 'message'", [
    conversation,
    message,
  ])
}

export async function isForgotten(reader: Reader, conversation: ConversationId, message: MessageId): Promise<boolean> {
  return (
    (await reader.get('select 1 as found from forgotten where conversation = ? and message = ?', [conversation, message])) !== undefined
  )
}

/** What the archive has to be told. */
export async function untoldForgotten(reader: Reader, most: number): Promise<readonly Forgotten[]> {
  const rows = await reader.all('select * from forgotten where told = 0 order by conversation, message limit ?', [most])
  return rows.map((row) => ({
    conversation: id(row, 'conversation', ConversationId),
    message: id(row, 'message', MessageId),
    seq: integer(row, 'seq'),
    time: integer(row, 'time'),
    segment: integer(row, 'segment'),
  }))
}

export async function markTold(writer: Writer, forgotten: readonly Forgotten[], segment: number): Promise<void> {
  for (const { conversation, message } of forgotten)
    await writer.run('update forgotten set told = 1, segment = ? where conversation = ? and message = ?', [segment, conversation, message])
}

/** Names of people whom this device may never have met, for old messages. */
export async function savePersonName(writer: Writer, { account, handle }: ArchivedPerson): Promise<void> {
  if (handle !== '') await writer.run('insert or ignore into archived_person (account, handle) values (?, ?)', [account, handle])
}

/** A row as it is archived; undefined for what is not for an archive. */
export function readItem(row: Row): ArchivedItem | undefined {
  const placed = { conversation: id(row, 'conversation', ConversationId), seq: integer(row, 'seq'), time: integer(row, 'time') }
  if (row['kind'] === 'message') {
    const expires = row['expires'] === null ? {} : { expires: integer(row, 'expires') }
    const written = { message: id(row, 'message', MessageId), account: id(row, 'account', AccountId), text: text(row, 'text') }
    return { ...placed, kind: 'message', ...written, ...expires }
  }
  const detail = optionalText(row, 'detail') ?? ''
  return readStoredNotice(detail) && { ...placed, kind: 'notice', detail }
}
