/**
 * A person's history as a file of their own: JSON that says what is in the timelines, with a checksum that tells damage (not
 * forgery: whoever has the file can write another). It can be read back, alone or out of the page that `historyPage` makes.
 */
import { AccountId, ConversationId, ConversationKind, MessageId, toBase64Url } from '@tacit/contract'
import type { HistoryFile, HistoryRefusal } from '../api.ts'
import type { Reader } from '../local-store/driver.ts'
import { allConversations } from '../conversations/conversation.store.ts'
import type { StoredNotice } from '../messages/items.store.ts'
import { loadNames } from '../messages/people-names.ts'
import { byteLength, LONGEST_TEXT, LONGEST_TITLE } from '../messages/payload.ts'
import { sha256 } from '../sealing.ts'
import { readItem } from './archive.store.ts'
import { peopleIn, readStoredNotice } from './notices.ts'
import type { ArchivedConversation, ArchivedItem, Segment } from './segment.ts'

const FORMAT = 'tacit history'
const VERSION = 1

/** All that this device has, in the order of the logs. */
export async function readHistory(
  reader: Reader,
  { account, handle, now }: { account: AccountId; handle: string; now: number },
): Promise<HistoryFile> {
  const names = await loadNames(reader)
  const people = new Map<AccountId, string>([[account, handle]])
  const conversations: HistoryFile['conversations'][number][] = []
  for (const { conversation, kind, title, peer } of await allConversations(reader)) {
    const sql = "select * from item where conversation = ? and kind in ('message', 'notice') order by seq, part"
    const items = (await reader.all(sql, [conversation])).flatMap((row) => readItem(row) ?? [])
    if (items.length === 0) continue
    const mentioned = [...items.flatMap(peopleOf), ...(peer ? [peer] : [])]
    for (const one of mentioned) if (!people.has(one)) people.set(one, names(one).handle)
    conversations.push({ conversation, kind, title, ...(peer && { peer }), items: items.flatMap(asFileItem) })
  }
  const content = { people: [...people].map(([one, called]) => ({ account: one, handle: called })), conversations }
  const made = { format: FORMAT, version: VERSION, account, handle, exported: new Date(now).toISOString() } as const
  return { ...made, checksum: await checksumOf(content), ...content }
}

export type ReadFile = { readonly kind: 'history'; readonly segment: Segment } | { readonly kind: 'refused'; readonly why: HistoryRefusal }

/** Reads what `readHistory` made, as JSON or inside of the page; every field is looked at before anything is believed. */
export async function readHistoryFile(file: string, account: AccountId): Promise<ReadFile> {
  const json = parsed(inPage(file) ?? file)
  if (!isRecord(json) || json['format'] !== FORMAT || typeof json['version'] !== 'number') return refused('not_a_history')
  if (json['version'] > VERSION) return refused('too_new')
  if (json['account'] !== account) return refused('other_account')
  const content = { people: json['people'], conversations: json['conversations'] }
  if (json['checksum'] !== (await checksumOf(content))) return refused('damaged')
  const segment = readContent(content)
  return segment ? { kind: 'history', segment } : refused('damaged')
}

const refused = (why: HistoryRefusal): ReadFile => ({ kind: 'refused', why })

async function checksumOf(content: unknown): Promise<string> {
  return toBase64Url(await sha256(new TextEncoder().encode(JSON.stringify(content))))
}

function peopleOf(item: ArchivedItem): readonly AccountId[] {
  if (item.kind === 'message') return [item.account]
  const notice = item.kind === 'notice' && readStoredNotice(item.detail)
  return notice ? peopleIn(notice) : []
}

function asFileItem(item: ArchivedItem): HistoryFile['conversations'][number]['items'] {
  const { seq, time } = item
  switch (item.kind) {
    case 'message': {
      const { message, account, text: words, expires } = item
      return [{ kind: 'message', seq, time, message, account, text: words, ...(expires !== undefined && { expires }) }]
    }
    case 'notice':
      return [{ kind: 'notice', seq, time, notice: JSON.parse(item.detail) as StoredNotice }]
    case 'forgotten':
      return []
  }
}

/** The JSON that a page carries. */
export const PAGE_DATA = '<script type="application/json" id="tacit-history">'

function inPage(file: string): string | undefined {
  const at = file.indexOf(PAGE_DATA)
  const end = file.indexOf('</script>', at)
  return at < 0 || end < 0 ? undefined : file.slice(at + PAGE_DATA.length, end)
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function readContent({ people, conversations }: { people: unknown; conversations: unknown }): Segment | undefined {
  if (!Array.isArray(people) || !Array.isArray(conversations)) return undefined
  const persons = people.map(readPerson)
  const talks = conversations.map(readConversation)
  if (!persons.every(isDefined) || !talks.every(isDefined)) return undefined
  return { people: persons, conversations: talks.map(({ talk }) => talk), items: talks.flatMap(({ items }) => items) }
}

const isDefined = <T>(value: T | undefined): value is T => value !== undefined

function readPerson(value: unknown) {
  if (!isRecord(value)) return undefined
  const account = AccountId.safeParse(value['account']).data
  const handle = value['handle']
  return account && typeof handle === 'string' && handle.length <= 64 ? { account, handle } : undefined
}

function readConversation(value: unknown): { talk: ArchivedConversation; items: readonly ArchivedItem[] } | undefined {
  if (!isRecord(value)) return undefined
  const conversation = ConversationId.safeParse(value['conversation']).data
  const kind = ConversationKind.safeParse(value['kind']).data
  const peer = AccountId.optional().safeParse(value['peer'])
  const title = value['title']
  if (!conversation || !kind || !peer.success || typeof title !== 'string' || byteLength(title) > LONGEST_TITLE) return undefined
  if (!Array.isArray(value['items'])) return undefined
  const items = value['items'].map((item) => readFileItem(item, conversation))
  return items.every(isDefined) ? { talk: { conversation, kind, title, peer: peer.data }, items } : undefined
}

function readFileItem(value: unknown, conversation: ConversationId): ArchivedItem | undefined {
  if (!isRecord(value)) return undefined
  const { seq, time, expires, kind, notice, text: words } = value
  if (!isCount(seq) || !isCount(time)) return undefined
  const placed = { conversation, seq, time }
  if (kind === 'notice') {
    const detail = JSON.stringify(notice)
    return detail !== undefined && readStoredNotice(detail) ? { ...placed, kind, detail } : undefined
  }
  const message = MessageId.safeParse(value['message']).data
  const account = AccountId.safeParse(value['account']).data
  if (kind !== 'message' || !message || !account || typeof words !== 'string' || byteLength(words) > LONGEST_TEXT) return undefined
  if (expires !== undefined && !isCount(expires)) return undefined
  return { ...placed, kind, message, account, text: words, ...(expires !== undefined && { expires }) }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
