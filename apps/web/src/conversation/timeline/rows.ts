/**
 * Turns a timeline into the rows that are drawn: day lines between days, the unread line, and messages gathered into
 * groups (one sender, one day, close in time, nothing between), whose first shows the name and whose last the time.
 */
import type { ConversationKind, MessageState, Timeline, TimelineItem } from '@tacit/sdk'

type Item<Kind extends TimelineItem['kind']> = Extract<TimelineItem, { kind: Kind }>

/** What stands above an item. */
export interface Lead {
  /** What the conversation is; above its very first item. */
  readonly beginning: boolean
  /** The day line, as a time of that day. */
  readonly day?: number
  readonly unread: boolean
}

/** One row for each item and no others: then earlier items arrive exactly at the start, and the place can be kept. */
export type Row =
  | {
      readonly kind: 'message'
      readonly key: string
      readonly lead: Lead
      readonly item: Item<'message'>
      readonly firstOfGroup: boolean
      readonly lastOfGroup: boolean
      /** Whether time and state are drawn: not when the next one of the group says the same. */
      readonly showsMeta: boolean
    }
  | { readonly kind: 'notice'; readonly key: string; readonly lead: Lead; readonly item: Item<'notice'> }
  | { readonly kind: 'unreadable'; readonly key: string; readonly lead: Lead; readonly item: Item<'unreadable'> }

/** Messages further apart than this do not belong to one breath. */
const GROUP_MS = 5 * 60_000
const MINUTE = 60_000

interface RowsOptions {
  readonly timeline: Timeline
  /** The key of the item that the unread line stands before. */
  readonly firstUnread: string | undefined
  readonly kind: ConversationKind
  /** Equal for times of one calendar day of the reader. */
  readonly dayKey: (time: number) => string
}

export function rowsOf({ timeline, firstUnread, kind, dayKey }: RowsOptions): Row[] {
  const items = kind === 'direct' ? timeline.items.filter(isWorthALine) : timeline.items
  const parted = (before: TimelineItem | undefined, after: TimelineItem | undefined) =>
    before === undefined || after === undefined || after.key === firstUnread || !together({ before, after, dayKey })

  return items.map((item, at) => {
    const { key } = item
    const before = items[at - 1]
    const after = items[at + 1]
    const newDay = before === undefined || dayKey(before.time) !== dayKey(item.time)
    const beginning = before === undefined && !timeline.hasEarlier
    const lead: Lead = { beginning, ...(newDay ? { day: item.time } : {}), unread: key === firstUnread }
    if (item.kind === 'notice') return { kind: item.kind, key, lead, item }
    if (item.kind === 'unreadable') return { kind: item.kind, key, lead, item }
    const lastOfGroup = parted(item, after)
    const showsMeta = lastOfGroup || after?.kind !== 'message' || !sameMeta(item, after)
    return { kind: item.kind, key, lead, item, firstOfGroup: parted(before, item), lastOfGroup, showsMeta }
  })
}

// Between two people everybody who ever joins was there from the start, which the line above has said.
const isWorthALine = (item: TimelineItem): boolean => item.kind !== 'notice' || item.notice.kind !== 'joined'

interface TogetherOptions {
  readonly before: TimelineItem
  readonly after: TimelineItem
  readonly dayKey: (time: number) => string
}

const together = ({ before, after, dayKey }: TogetherOptions): boolean =>
  before.kind === 'message' &&
  after.kind === 'message' &&
  before.sender.account === after.sender.account &&
  Math.abs(after.time - before.time) <= GROUP_MS &&
  dayKey(before.time) === dayKey(after.time)

const sameMeta = (one: Item<'message'>, other: Item<'message'>): boolean =>
  Math.floor(one.time / MINUTE) === Math.floor(other.time / MINUTE) && (!one.mine || sameState(one.state, other.state))

// A failed message explains itself and offers a way out, each one separately.
const sameState = (one: MessageState, other: MessageState): boolean => one.kind === other.kind && one.kind !== 'failed'

/** How many messages of others come after the item with this key; all of them when it is not there. */
export function countAfter({ items, key }: { readonly items: readonly TimelineItem[]; readonly key: string | undefined }): number {
  const at = items.findIndex((item) => item.key === key)
  return items.slice(at + 1).filter((item) => item.kind === 'message' && !item.mine).length
}

/** The highest position in the log among the first `end` rows; undefined when none of them is in the log. */
export function highestSeq({ rows, end }: { readonly rows: readonly Row[]; readonly end: number }): number | undefined {
  for (let at = Math.min(end, rows.length) - 1; at >= 0; at--) {
    const row = rows[at]
    if (row?.item.seq !== undefined) return row.item.seq
  }
  return undefined
}
