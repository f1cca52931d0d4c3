/** The whole screen: a header, the messages (and the list beside them where there is room), the composer, the keys. */
import { useEffect } from 'react'
import type { ReactElement } from 'react'
import { useInput, usePaste, useWindowSize } from 'ink'
import type { ConnectionState, ConversationSummary, Live, Messenger, SessionState, Timeline } from '@tacit/sdk'
import { lateRemovals } from '../conversations/late-removals.ts'
import { Composer } from './Composer.ts'
import { ConversationList } from './ConversationList.ts'
import { Header } from './Header.ts'
import { TimelineView } from './TimelineView.ts'
import type { Desk } from './desk.ts'
import { emptyDraft } from './draft.ts'
import { typed, wishesOf } from './keys.ts'
import { useLive } from './live.ts'
import { box, words } from './words.ts'

/** From this width on the list stays beside the messages. */
const WIDE = 84
const LIST_WIDTH = 28

export interface ChatScreenProps {
  readonly desk: Desk
  readonly session: Live<SessionState>
  readonly connection: Live<ConnectionState>
  readonly markRead: Messenger['markRead']
}

export function ChatScreen({ desk, session, connection, markRead }: ChatScreenProps): ReactElement {
  const { columns, rows } = useWindowSize()
  const { pointed, trouble, anchors } = useLive(desk)
  const conversations = useLive(desk.conversations) ?? []
  const open = desk.open
  const conversation = open?.conversation
  const timeline = useLive(conversation ? desk.timeline(conversation) : nothing)
  const anchor = conversation && anchors.get(conversation)

  useInput((input, key) => {
    for (const wish of wishesOf(input, key)) desk.fulfil(wish)
  })
  usePaste((text) => desk.fulfil(typed(text)))
  const newest = anchor === undefined ? timeline?.items.findLast((item) => item.seq !== undefined)?.seq : undefined
  useEffect(() => {
    // A receipt that did not get out is repeated by the next one.
    if (conversation && newest !== undefined) markRead({ conversation, seq: newest }).catch(() => {})
  }, [markRead, conversation, newest])

  const list = ConversationList({ conversations, open: conversation, pointed, most: Math.max(1, rows - 7) })
  const wide = columns >= WIDE
  return box(
    { flexDirection: 'column', width: columns, height: rows },
    Header({ open, session: useLive(session), connection: useLive(connection) }),
    box(
      { flexGrow: 1, flexShrink: 1, flexBasis: 0, overflow: 'hidden' },
      wide ? box(asideStyle, list) : undefined,
      !wide && pointed !== undefined ? list : messages({ timeline, anchor, rows }),
    ),
    alarm(open),
    status({ trouble, timeline }),
    Composer({ draft: conversation ? desk.draft(conversation) : emptyDraft, active: pointed === undefined && open !== undefined }),
    words(pointed === undefined ? talkKeys : listKeys, { dimColor: true, wrap: 'truncate-end' }),
  )
}

const talkKeys = ' Enter send · Tab switch · Ctrl-C quit · PgUp earlier · Alt-Enter new line'
const listKeys = ' ↑↓ choose · Enter open · Esc back'

const asideStyle = {
  key: 'list',
  width: LIST_WIDTH,
  flexShrink: 0,
  borderStyle: 'single',
  borderTop: false,
  borderBottom: false,
  borderLeft: false,
  borderDimColor: true,
} as const

const nothing: Live<Timeline | undefined> = { get: () => undefined, subscribe: () => () => {} }

interface Shown {
  readonly timeline: Timeline | undefined
  readonly anchor: string | undefined
  readonly rows: number
}

function messages({ timeline, anchor, rows }: Shown): ReactElement {
  if (timeline) return TimelineView({ timeline, anchor, most: rows })
  return box({ paddingX: 1 }, words('No conversation is open. `tacit direct <handle>` starts one.', { dimColor: true }))
}

/** Of removals that the server does not accept. */
function alarm(open: ConversationSummary | undefined): ReactElement | undefined {
  const late = lateRemovals(open?.removals ?? [])
  return late.length === 0 ? undefined : box({ paddingX: 1, flexShrink: 0 }, words(late.join(' '), { color: 'red', bold: true }))
}

function status({ trouble, timeline }: { trouble: string | undefined; timeline: Timeline | undefined }): ReactElement {
  const style = { paddingX: 1, flexShrink: 0 }
  if (trouble) return box(style, words(trouble, { color: 'red' }))
  return box(style, words(typing((timeline?.typing ?? []).map(({ handle }) => handle)), { dimColor: true, italic: true }))
}

// A blank keeps the line, so that nothing jumps when somebody begins to type.
function typing(names: readonly string[]): string {
  if (names.length === 0) return ' '
  if (names.length > 2) return 'several people are typing…'
  return `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing…`
}
