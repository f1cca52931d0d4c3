/** The whole screen: a header, the messages (and the list beside them where there is room), the composer, the keys. */
import { useState } from 'react'
import type { ReactElement } from 'react'
import { useApp, useInput, usePaste, useWindowSize } from 'ink'
import type { ConnectionState, ConversationSummary, Live, Messenger, SessionState } from '@tacit/sdk'
import { Composer } from './Composer.ts'
import { ConversationList } from './ConversationList.ts'
import { Header } from './Header.ts'
import { TimelineView } from './TimelineView.ts'
import { typed, wishOf } from './keys.ts'
import type { Wish } from './keys.ts'
import { useLive } from './live.ts'
import { useTalk } from './talk.ts'
import type { Talk } from './talk.ts'
import { box, words } from './words.ts'

/** From this width on the list stays beside the messages. */
const WIDE = 84
const LIST_WIDTH = 28

export interface ChatScreenProps {
  readonly device: Messenger
  readonly watched: {
    readonly conversations: Live<readonly ConversationSummary[] | undefined>
    readonly session: Live<SessionState>
    readonly connection: Live<ConnectionState>
  }
  /** What is open at first. Without it the most recent conversation is, until the person chooses. */
  readonly start: ConversationSummary['conversation'] | undefined
}

export function ChatScreen({ device, watched, start }: ChatScreenProps): ReactElement {
  const { exit } = useApp()
  const { columns, rows } = useWindowSize()
  const conversations = useLive(watched.conversations) ?? []
  const session = useLive(watched.session)
  const connection = useLive(watched.connection)
  const choice = useChoice(conversations, start)
  const { open, pointed } = choice
  const talk = useTalk({ device, conversation: open?.conversation, page: Math.max(4, Math.floor(rows / 3)) })

  const fulfil = (wish: Wish | undefined) => {
    if (!wish) return
    if (wish.kind === 'quit' || (wish.kind === 'quit_if_empty' && talk.draft.text === '')) exit()
    else if (pointed !== undefined || wish.kind === 'switch') choice.fulfil(wish)
    else talk.fulfil(wish)
  }
  useInput((input, key) => fulfil(wishOf(input, key)))
  usePaste((text) => fulfil(typed(text)))

  const list = ConversationList({ conversations, open: open?.conversation, pointed, most: Math.max(1, rows - 7) })
  const wide = columns >= WIDE
  return box(
    { flexDirection: 'column', width: columns, height: rows },
    Header({ open, session, connection }),
    box(
      { flexGrow: 1, flexShrink: 1, flexBasis: 0, overflow: 'hidden' },
      wide ? box(asideStyle, list) : undefined,
      !wide && pointed !== undefined ? list : messages(talk, rows),
    ),
    status(talk),
    Composer({ draft: talk.draft, active: pointed === undefined && open !== undefined }),
    words(pointed === undefined ? talkKeys : listKeys, { dimColor: true, wrap: 'truncate-end' }),
  )
}

const talkKeys = ' Enter send · Alt-Enter new line · Tab switch · PgUp earlier · Ctrl-C quit'
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

/** Which conversation is open, and which one the person points at while choosing another. */
function useChoice(conversations: readonly ConversationSummary[], start: ChatScreenProps['start']) {
  const [chosen, choose] = useState(start)
  const [pointed, point] = useState<number>()
  const at = conversations.findIndex(({ conversation }) => conversation === chosen)
  const open = conversations[chosen === undefined ? 0 : at]
  const last = conversations.length - 1
  const fulfil = (wish: Wish) => {
    if (pointed === undefined) point(Math.max(0, at))
    else if (wish.kind === 'up') point(Math.max(0, pointed - 1))
    else if (wish.kind === 'down' || wish.kind === 'switch') point(Math.min(last, pointed + 1))
    else if (wish.kind === 'back') point(undefined)
    else if (wish.kind === 'send') {
      choose(conversations[Math.min(last, pointed)]?.conversation ?? chosen)
      point(undefined)
    }
  }
  return { open, pointed, fulfil }
}

function messages(talk: Talk, rows: number): ReactElement {
  if (talk.timeline) return TimelineView({ timeline: talk.timeline, anchor: talk.anchor, most: rows })
  return box({ paddingX: 1 }, words('No conversation is open. `tacit direct <handle>` starts one.', { dimColor: true }))
}

function status({ trouble, timeline }: Talk): ReactElement {
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
