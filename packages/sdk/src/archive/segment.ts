/**
 * What a segment of the archive says, before it is sealed: CBOR [1, people, conversations, base, items]. People and
 * conversations stand once and are named by their place; times count from `base`. Items are in the order of their times.
 *
 * A newer client may add kinds of items: they are passed over. Anything else that is not as described here is no segment.
 */
import {
  AccountId,
  CborError,
  ConversationId,
  decodeCbor,
  encodeCbor,
  MessageId,
  toBase64Url,
  type CborValue,
  type ConversationKind,
} from '@tacit/contract'
import { idBytes } from '../sealing.ts'
import { readStoredNotice } from './notices.ts'

interface Placed {
  readonly conversation: ConversationId
  readonly seq: number
  /** Milliseconds. */
  readonly time: number
}

/** An item of a timeline, as it is archived. `expires`: when it is to be gone, in milliseconds. */
export type ArchivedItem = Placed &
  (
    | {
        readonly kind: 'message'
        readonly message: MessageId
        readonly account: AccountId
        readonly text: string
        readonly expires?: number
      }
    /** As the timeline stores it, in JSON. */
    | { readonly kind: 'notice'; readonly detail: string }
    /** The person deleted this message for themselves: no device of theirs shows it. */
    | { readonly kind: 'forgotten'; readonly message: MessageId }
  )

export interface ArchivedConversation {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly title: string
  /** The other one of a direct conversation. */
  readonly peer: AccountId | undefined
}

export interface ArchivedPerson {
  readonly account: AccountId
  readonly handle: string
}

export interface Segment {
  readonly people: readonly ArchivedPerson[]
  readonly conversations: readonly ArchivedConversation[]
  readonly items: readonly ArchivedItem[]
}

const KINDS: readonly ConversationKind[] = ['direct', 'group']
const MESSAGE = 0
const NOTICE = 1
const FORGOTTEN = 2

export function encodeSegment({ people, conversations, items }: Segment): Uint8Array<ArrayBuffer> {
  const personAt = new Map(people.map(({ account }, at) => [account, at]))
  const conversationAt = new Map(conversations.map(({ conversation }, at) => [conversation, at]))
  const base = items[0]?.time ?? 0
  return encodeCbor([
    1,
    people.map(({ account, handle }) => [idBytes(account), handle]),
    conversations.map(({ conversation, kind, title, peer }) => [
      idBytes(conversation),
      KINDS.indexOf(kind),
      title,
      peer === undefined ? null : place(personAt, peer),
    ]),
    base,
    items.map((item) => [place(conversationAt, item.conversation), item.seq, item.time - base, ...contentOf(item, personAt)]),
  ])
}

/** Undefined for anything that `encodeSegment` of this or a newer version does not make. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  try {
    const [version, people, conversations, base, items] = list(decodeCbor(bytes))
    if (version !== 1) return undefined
    const persons = list(people).map(readPerson)
    const talks = list(conversations).map((one) => readConversation(one, persons))
    const start = whole(base)
    return { people: persons, conversations: talks, items: list(items).flatMap((item) => readItem(item, { persons, talks, start })) }
  } catch (error) {
    if (error instanceof CborError || error instanceof NotASegment) return undefined
    throw error
  }
}

class NotASegment extends Error {}

function contentOf(item: ArchivedItem, personAt: ReadonlyMap<AccountId, number>): CborValue[] {
  switch (item.kind) {
    case 'message':
      return [
        MESSAGE,
        idBytes(item.message),
        place(personAt, item.account),
        item.text,
        ...(item.expires === undefined ? [] : [item.expires]),
      ]
    case 'notice':
      return [NOTICE, item.detail]
    case 'forgotten':
      return [FORGOTTEN, idBytes(item.message)]
  }
}

function place<T>(places: ReadonlyMap<T, number>, one: T): number {
  const at = places.get(one)
  if (at === undefined) throw new TypeError('a segment does not name what its items refer to')
  return at
}

function readPerson(value: CborValue): ArchivedPerson {
  const [account, handle] = list(value)
  return { account: anId(AccountId, account), handle: words(handle) }
}

function readConversation(value: CborValue, persons: readonly ArchivedPerson[]): ArchivedConversation {
  const [conversation, kind, title, peer] = list(value)
  return {
    conversation: anId(ConversationId, conversation),
    kind: named(KINDS, kind),
    title: words(title),
    peer: peer === null ? undefined : named(persons, peer).account,
  }
}

function readItem(
  value: CborValue,
  { persons, talks, start }: { persons: readonly ArchivedPerson[]; talks: readonly ArchivedConversation[]; start: number },
): ArchivedItem[] {
  const [at, seq, time, kind, ...content] = list(value)
  const placed = { conversation: named(talks, at).conversation, seq: whole(seq), time: whole(time) + start }
  if (kind === MESSAGE) {
    const [message, account, text, expires] = content
    const written = { message: anId(MessageId, message), account: named(persons, account).account, text: words(text) }
    return [{ ...placed, kind: 'message', ...written, ...(expires !== undefined && { expires: whole(expires) }) }]
  }
  if (kind === NOTICE) {
    const detail = words(content[0])
    return readStoredNotice(detail) ? [{ ...placed, kind: 'notice', detail }] : []
  }
  return kind === FORGOTTEN ? [{ ...placed, kind: 'forgotten', message: anId(MessageId, content[0]) }] : []
}

function list(value: CborValue | undefined): readonly CborValue[] {
  if (!Array.isArray(value)) throw new NotASegment()
  return value
}

function whole(value: CborValue | undefined): number {
  if (typeof value !== 'number') throw new NotASegment()
  return value
}

function words(value: CborValue | undefined): string {
  if (typeof value !== 'string') throw new NotASegment()
  return value
}

function named<T>(all: readonly T[], at: CborValue | undefined): T {
  const one = all[whole(at)]
  if (one === undefined) throw new NotASegment()
  return one
}

function anId<T>(kind: { safeParse(value: unknown): { data?: T | undefined } }, value: CborValue | undefined): T {
  const id = value instanceof Uint8Array ? kind.safeParse(toBase64Url(value)).data : undefined
  if (id === undefined) throw new NotASegment()
  return id
}
