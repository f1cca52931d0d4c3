/** The list of conversations: beside the messages on a wide terminal, instead of them while switching on a narrow one. */
import type { ReactElement } from 'react'
import type { ConversationSummary } from '@tacit/sdk'
import { box, words } from './words.ts'

interface ConversationListProps {
  readonly conversations: readonly ConversationSummary[]
  readonly open: ConversationSummary['conversation'] | undefined
  /** Index under the person's finger while switching. */
  readonly pointed: number | undefined
  readonly most: number
}

export function ConversationList({ conversations, open, pointed, most }: ConversationListProps): ReactElement {
  const from = Math.max(0, (pointed ?? 0) - most + 1)
  return box(
    { flexDirection: 'column', flexGrow: 1, overflow: 'hidden', paddingX: 1 },
    ...conversations
      .slice(from, from + most)
      .map((one, at) => line({ one, open: one.conversation === open, pointed: from + at === pointed })),
  )
}

function line({ one, open, pointed }: { one: ConversationSummary; open: boolean; pointed: boolean }): ReactElement {
  const unread = one.unread > 0 ? ` ${one.unread > 99 ? '99+' : one.unread}` : ''
  const sign = pointed ? '›' : one.peerOnline ? '●' : one.typing.length > 0 ? '…' : ' '
  return box(
    { key: one.conversation, flexShrink: 0, justifyContent: 'space-between' },
    words(`${sign} ${one.title}`, { wrap: 'truncate-end', bold: open || one.unread > 0, inverse: pointed, ...(open && { color: 'cyan' }) }),
    box({ flexShrink: 0 }, words(unread, { color: 'yellow', bold: true })),
  )
}
