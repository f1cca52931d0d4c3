/** What was said in the conversations of the stories: every kind of row and state is in here somewhere. */
import type { MessageState, Notice, Person, Timeline, TimelineItem, UnreadableReason } from '@tacit/sdk'
import { alice, bob, carol, dan, mallory, messageId, minutes, now } from './cast.ts'

let seq = 0

interface Said {
  readonly ago: number
  readonly state?: MessageState
}

function said(sender: Person, text: string, { ago, state = { kind: 'read' } }: Said): TimelineItem {
  seq += 1
  const id = `message-${seq}`
  const place = state.kind === 'sending' || state.kind === 'failed' ? {} : { seq }
  return {
    kind: 'message',
    key: id,
    message: messageId(id),
    sender,
    mine: sender === alice,
    text,
    time: now - minutes(ago),
    state,
    ...place,
  }
}

function notice(what: Notice, ago: number): TimelineItem {
  seq += 1
  return { kind: 'notice', key: `notice-${seq}`, time: now - minutes(ago), seq, notice: what }
}

function unreadable(reason: UnreadableReason, ago: number): TimelineItem {
  seq += 1
  return { kind: 'unreadable', key: `unreadable-${seq}`, time: now - minutes(ago), seq, sender: carol, reason }
}

const days = (count: number) => count * 24 * 60

const bobItems: readonly TimelineItem[] = [
  notice({ kind: 'created', by: alice }, days(1) + 40),
  said(alice, 'Hey Bob, found you 🙂', { ago: days(1) + 38 }),
  said(bob, 'Hello!', { ago: days(1) + 36 }),
  said(bob, 'That was quick. No phone number, no e-mail, and it just works?', { ago: days(1) + 36 }),
  said(alice, 'Yes. A name and a passkey, that is all.', { ago: days(1) + 34 }),
  said(alice, '🎉', { ago: days(1) + 34 }),
  notice({ kind: 'device_joined', person: bob }, 95),
  said(bob, 'Now I am on my phone, too', { ago: 90 }),
  said(alice, 'Are you coming on Sunday? The route is on https://hiking.example/routes/17, about four hours with a break at the lake.', {
    ago: 31,
  }),
  said(alice, 'Bring something warm', { ago: 30, state: { kind: 'delivered' } }),
  said(bob, 'I would love to', { ago: 4 }),
  said(bob, 'Shall I bring the tent, or do you have room for it?', { ago: 2 }),
]

const hikeItems: readonly TimelineItem[] = [
  notice({ kind: 'created', by: carol }, days(2) + 30),
  notice({ kind: 'joined', person: alice, by: carol }, days(2) + 30),
  notice({ kind: 'joined', person: dan, by: carol }, days(2) + 29),
  notice({ kind: 'renamed', title: 'Sunday hiking club', by: carol }, days(2) + 28),
  said(carol, 'Welcome! Everything about our Sunday walks goes here.', { ago: days(2) + 25 }),
  said(dan, 'Finally', { ago: days(2) + 20 }),
  said(dan, 'I have a list:\n1. water\n2. good shoes\n3. the cake that Alice promised', { ago: days(2) + 20 }),
  said(alice, 'I promised nothing', { ago: days(2) + 12 }),
  said(alice, 'But there will be cake', { ago: days(2) + 12 }),
  notice({ kind: 'role_changed', person: alice, role: 'admin', by: carol }, 80),
  unreadable('stale_epoch', 70),
  said(alice, 'Sunday at nine?', { ago: 60, state: { kind: 'accepted' } }),
  said(dan, 'Nine is fine', { ago: 14 }),
  said(carol, 'Good for me', { ago: 10 }),
  said(carol, 'The bus leaves at 8:40 from the market square', { ago: 9 }),
]

const eveItems: readonly TimelineItem[] = [
  notice({ kind: 'history_begins' }, days(6)),
  said({ ...dan, handle: 'Eve' }, 'Can you send me the key of the office?', { ago: days(5) + 50 }),
  notice({ kind: 'identity_changed', person: { ...dan, handle: 'Eve' } }, days(5) + 40),
  notice({ kind: 'tampering', what: 'fork' }, days(5) + 39),
  said(alice, 'Not before I heard your voice', { ago: days(5) + 20, state: { kind: 'failed', reason: 'unavailable' } }),
  said(alice, 'Call me', { ago: 1, state: { kind: 'sending' } }),
  said(alice, 'Then we will see', { ago: 1, state: { kind: 'sending' } }),
]

const long = Array.from({ length: 400 }, (_, at) =>
  said(
    at % 7 < 4 ? dan : alice,
    `Line ${at + 1} of a long story${at % 5 === 0 ? ', which now and then takes rather more room than the others because somebody had a lot to say' : ''}.`,
    {
      ago: (400 - at) * 17 + 1200,
    },
  ),
)

export const timelines: Readonly<Record<string, Timeline>> = {
  bob: { items: bobItems, hasEarlier: false, typing: [bob] },
  hike: { items: hikeItems, hasEarlier: false, firstUnread: hikeItems.at(-3)?.key ?? '', typing: [carol, dan] },
  carol: { items: [], hasEarlier: false, typing: [] },
  kitchen: { items: long, hasEarlier: true, typing: [] },
  mallory: { items: [said(mallory, 'Hi, we met at the market on Saturday', { ago: 17 })], hasEarlier: false, typing: [] },
  prize: {
    items: [
      notice({ kind: 'joined', person: alice, by: mallory }, days(1)),
      notice({ kind: 'renamed', title: 'WIN A PRIZE TODAY', by: mallory }, days(1)),
    ],
    hasEarlier: false,
    typing: [],
  },
  eve: { items: eveItems, hasEarlier: false, typing: [] },
  books: {
    items: [said(alice, 'Goodbye everybody, it was lovely', { ago: days(40) }), notice({ kind: 'left', person: alice }, days(40))],
    hasEarlier: false,
    typing: [],
  },
}
