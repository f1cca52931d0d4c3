/**
 * A timeline in words and as data. The words are for `history` and the interactive chat; the data is what `--json` and
 * `listen` print, and its fields are a promise to scripts: they may grow, and none changes its meaning.
 */
import type { IncomingMessage, MessageState, Notice, Person, TimelineItem, UnreadableReason } from '@tacit/sdk'
import { dayName, dayOf, timeOfDay } from '../terminal/when.ts'
import { printableLines } from '../terminal/printable.ts'

/** One line of `listen`. `request`: in a conversation that its person has not taken up; then a group has no title. */
export function incomingJson(message: IncomingMessage, title: string) {
  return {
    event: 'message',
    conversation: message.conversation,
    title,
    message: message.message,
    seq: message.seq,
    sender: personJson(message.sender),
    mine: message.mine,
    text: message.text,
    time: utc(message.time),
    ...(message.request && { request: true }),
  }
}

/** One item of `history --json`. */
export function itemJson(item: TimelineItem) {
  const common = { kind: item.kind, seq: item.seq ?? null, time: utc(item.time) }
  switch (item.kind) {
    case 'message': {
      const failed = item.state.kind === 'failed' ? { reason: item.state.reason } : {}
      const { message, mine, text } = item
      return { ...common, message, sender: personJson(item.sender), mine, text, state: item.state.kind, ...failed }
    }
    case 'notice':
      return { ...common, notice: item.notice.kind, text: describeNotice(item.notice) }
    case 'unreadable':
      return { ...common, reason: item.reason, sender: item.sender ? personJson(item.sender) : null }
  }
}

/** The timeline as `history` prints it: a heading for each day, the first line of an item with its time, the rest indented. */
export function historyLines(items: readonly TimelineItem[], zone?: string): string[] {
  return items.flatMap((item, at) => {
    const before = items[at - 1]
    const heading = !before || dayOf(before.time, zone) !== dayOf(item.time, zone) ? [`— ${dayName(item.time, zone)} —`] : []
    const [first = '', ...rest] = itemLines(item)
    return [...heading, `${timeOfDay(item.time, zone)}  ${first}`, ...rest.map((line) => `       ${line}`)]
  })
}

export function describeNotice(notice: Notice): string {
  switch (notice.kind) {
    case 'created':
      return `${notice.by.handle} started the conversation`
    case 'joined':
      return `${notice.by.handle} added ${notice.person.handle}`
    case 'removed':
      return `${notice.by.handle} removed ${notice.person.handle}`
    case 'left':
      return `${notice.person.handle} left`
    case 'renamed':
      return `${notice.by.handle} named the conversation “${notice.title}”`
    case 'role_changed':
      return `${notice.by.handle} made ${notice.person.handle} ${notice.role === 'admin' ? 'an admin' : 'a member without admin rights'}`
    case 'device_joined':
      return `${notice.person.handle} uses a new device`
    case 'device_removed':
      return `${notice.person.handle} stopped using a device`
    case 'identity_changed':
      return `WARNING: the identity key of ${notice.person.handle} has changed. Make sure by other means that it is still ${notice.person.handle}`
    case 'continued':
      return `${notice.by.handle} says that this group goes on in ${notice.conversation}`
    case 'continues':
      return `${notice.by.handle} says that this group continues ${notice.conversation}`
    case 'history_begins':
      return 'this device begins here; what was written before is not on it'
    case 'tampering':
      return `WARNING: the server has tampered with this conversation (${tampering[notice.what]})`
  }
}

/** Whether the notice is a warning that nobody may miss. */
export const isAlarm = (notice: Notice): boolean => notice.kind === 'identity_changed' || notice.kind === 'tampering'

export function describeUnreadable(reason: UnreadableReason, sender: Person | undefined): string {
  return `a message${sender ? ` from ${sender.handle}` : ''} that cannot be shown: ${unreadable[reason]}`
}

export function describeState(state: MessageState): string {
  return state.kind === 'failed' ? `not sent: ${state.reason.replaceAll('_', ' ')}` : state.kind
}

const tampering = {
  fork: 'it shows different logs to different people',
  gap: 'entries are missing',
  key_log: 'it shows different keys to different people, or has rewritten its record of keys',
  replay: 'entries were repeated or reordered',
  rollback: 'it lost the newest entries; what was written here is sent again',
} as const

const unreadable: Record<UnreadableReason, string> = {
  malformed: 'it is not well formed',
  unsupported: 'it needs a newer client',
  auth_failed: 'its sender could not be verified',
  policy: 'its sender was not allowed to send it',
  duplicate: 'it was sent twice',
  stale_epoch: 'it was sealed for an earlier membership',
  unknown: 'it could not be opened',
}

function itemLines(item: TimelineItem): string[] {
  switch (item.kind) {
    case 'message': {
      const [first = '', ...rest] = printableLines(item.text)
      const lines = [`${item.mine ? 'you' : item.sender.handle}: ${first}`, ...rest]
      return item.mine ? [...lines.slice(0, -1), `${lines.at(-1) ?? ''}  (${describeState(item.state)})`] : lines
    }
    case 'notice':
      return [`* ${describeNotice(item.notice)}`]
    case 'unreadable':
      return [`* ${describeUnreadable(item.reason, item.sender)}`]
  }
}

function personJson({ account, handle }: Person) {
  return { account, handle }
}

/** A hostile or broken clock must not stop a script: a time beyond what a date can hold is null. */
function utc(time: number): string | null {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
