/**
 * Turns a timeline into the rows that are drawn: day lines between days, the unread line, and messages gathered into
 * groups (one sender, one day, close in time, nothing between), whose first shows the name and whose last the time.
 */
import type { ConversationKind, MessageState, Timeline, TimelineItem } from '@tacit/sdk'

type Item<Kind extends TimelineItem['kind']> = Extract<TimelineItem, { kind: Kind }>

export type Row =
  | { readonly kind: 'beginning'; readonly key: string; readonly hasEarlier: boolean }
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | { readonly kind: 'unread'; readonly key: string }
  | {
      readonly kind: 'message'
      readonly key: string
      readonly item: Item<'message'>
      readonly firstOfGroup: boolean
      readonly lastOfGroup: boolean
      /** Whether time and state are drawn: not when the next one of the group says the same. */
      readonly showsMeta: boolean
    }
  | { readonly kind: 'notice'; readonly key: string; readonly item: Item<'notice'> }
  | { readonly kind: 'unreadable'; readonly key: string; readonly item: Item<'unreadable'> }

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

  const rows: Row[] = [{ kind: 'beginning', key: 'beginning', hasEarlier: timeline.hasEarlier }]
  items.forEach((item, at) => {
    const before = items[at - 1]
    const after = items[at + 1]
    if (before === undefined || dayKey(before.time) !== dayKey(item.time))
      rows.push({ kind: 'day', key: `day ${item.key}`, time: item.time })
    if (item.key === firstUnread) rows.push({ kind: 'unread', key: 'unread' })
    if (item.kind === 'message') {
      const lastOfGroup = parted(item, after)
      const showsMeta = lastOfGroup || after?.kind !== 'message' || !sameMeta(item, after)
      rows.push({ kind: 'message', key: item.key, item, firstOfGroup: parted(before, item), lastOfGroup, showsMeta })
    } else if (item.kind === 'notice') rows.push({ kind: 'notice', key: item.key, item })
    else rows.push({ kind: 'unreadable', key: item.key, item })
  })
  return rows
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
    if (row !== undefined && 'item' in row && row.item.seq !== undefined) return row.item.seq
  }
  return undefined
}
