/** A timeline as the rows of the chat: days, a mark where the unread begins, a heading where the speaker changes, words. */
import type { MessageState, TimelineItem } from '@tacit/sdk'
import { describeNotice, describeUnreadable, isAlarm } from '../messages/describe.ts'
import { dayName, dayOf, timeOfDay } from '../terminal/when.ts'

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly text: string }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'heading'; readonly key: string; readonly name: string; readonly mine: boolean; readonly time: string }
  | { readonly kind: 'words'; readonly key: string; readonly text: string; readonly state?: MessageState }
  | { readonly kind: 'notice'; readonly key: string; readonly text: string; readonly time: string; readonly alarm: boolean }

export interface View {
  readonly items: readonly TimelineItem[]
  readonly firstUnread?: string | undefined
  /** IANA name; the zone of the computer without it. */
  readonly zone?: string
}

/** One heading serves for what somebody writes within this time, ms. */
const ONE_BREATH = 5 * 60_000

/** Longer texts would fill the screen; `tacit history` shows them whole. */
const LONGEST = 2000

export function rowsOf({ items, firstUnread, zone }: View): Row[] {
  return items.flatMap((item, at) => {
    const before = items[at - 1]
    const newDay = !before || dayOf(before.time, zone) !== dayOf(item.time, zone)
    const unread = item.key === firstUnread
    const rows: Row[] = []
    if (newDay) rows.push({ kind: 'day', key: `day ${item.key}`, text: dayName(item.time, zone) })
    if (unread) rows.push({ kind: 'unread', key: 'unread' })
    return [...rows, ...itemRows({ item, heading: newDay || unread || !continues(before, item), time: timeOfDay(item.time, zone) })]
  })
}

function itemRows({ item, heading, time }: { item: TimelineItem; heading: boolean; time: string }): Row[] {
  const { key } = item
  if (item.kind === 'notice') return [{ kind: 'notice', key, text: describeNotice(item.notice), time, alarm: isAlarm(item.notice) }]
  if (item.kind === 'unreadable') return [{ kind: 'notice', key, text: describeUnreadable(item.reason, item.sender), time, alarm: false }]
  const { sender, mine, state } = item
  const words: Row = { kind: 'words', key, text: shortened(item.text), ...(mine && { state }) }
  return heading ? [{ kind: 'heading', key: `by ${key}`, name: sender.handle, mine, time }, words] : [words]
}

function continues(before: TimelineItem | undefined, item: TimelineItem): boolean {
  if (before?.kind !== 'message' || item.kind !== 'message') return false
  return before.sender.account === item.sender.account && item.time - before.time < ONE_BREATH
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (\`tacit history\` shows all of it)`
}
