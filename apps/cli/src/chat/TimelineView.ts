/** The messages of one conversation, the newest at the bottom. */
import type { ReactElement } from 'react'
import type { MessageState, Timeline } from '@tacit/sdk'
import { rowsOf } from './rows.ts'
import type { Row } from './rows.ts'
import { box, phrase, words } from './words.ts'

interface TimelineViewProps {
  readonly timeline: Timeline
  /** Key of the item at the bottom when the person has scrolled back. */
  readonly anchor: string | undefined
  /** How many items can be seen at most. */
  readonly most: number
}

export function TimelineView({ timeline, anchor, most }: TimelineViewProps): ReactElement {
  const end = anchor === undefined ? -1 : timeline.items.findIndex(({ key }) => key === anchor)
  const upTo = end === -1 ? timeline.items : timeline.items.slice(0, end + 1)
  const rows = rowsOf({ items: upTo.slice(-most), firstUnread: timeline.firstUnread })
  return box(
    {
      flexDirection: 'column',
      flexGrow: 1,
      flexShrink: 1,
      flexBasis: 0,
      overflow: 'hidden',
      justifyContent: 'flex-end',
      paddingX: 1,
    },
    ...rows.map(rowView),
    end === -1 ? undefined : box({ key: 'newer', flexShrink: 0 }, words('↓ PgDn for newer messages', { color: 'yellow' })),
  )
}

function rowView(row: Row): ReactElement {
  switch (row.kind) {
    case 'day':
      return box({ key: row.key, flexShrink: 0, justifyContent: 'center' }, words(row.text, { dimColor: true }))
    case 'unread':
      return box({ key: row.key, flexShrink: 0, justifyContent: 'center' }, words('─── new ───', { color: 'yellow' }))
    case 'heading':
      return box(
        { key: row.key, flexShrink: 0, marginTop: 1 },
        words(row.mine ? 'you' : row.name, { bold: true, color: row.mine ? 'cyan' : colorOf(row.name) }),
        words(`  ${row.time}`, { dimColor: true }),
      )
    case 'words':
      return box(
        { key: row.key, flexShrink: 0, paddingLeft: 2 },
        phrase({ wrap: 'wrap' }, words(row.text), ...(row.state ? [words('  '), mark(row.state)] : [])),
      )
    case 'notice':
      return box(
        { key: row.key, flexShrink: 0 },
        words(`${row.time}  ${row.text}`, row.alarm ? { color: 'red', bold: true } : { dimColor: true }),
      )
  }
}

function mark(state: MessageState): ReactElement {
  switch (state.kind) {
    case 'sending':
      return words('…', { key: 'state', dimColor: true })
    case 'accepted':
      return words('✓', { key: 'state', dimColor: true })
    case 'delivered':
      return words('✓✓', { key: 'state', dimColor: true })
    case 'read':
      return words('✓✓ read', { key: 'state', color: 'green' })
    case 'failed':
      return words(`✗ not sent: ${state.reason.replaceAll('_', ' ')} (Ctrl-R tries again)`, { key: 'state', color: 'red' })
  }
}

const palette = ['magenta', 'blue', 'green', 'yellow', 'magentaBright', 'blueBright', 'greenBright'] as const

/** The same person has the same colour on every screen. */
function colorOf(handle: string): string {
  const sum = Array.from(handle.toLowerCase()).reduce((total, character) => (total * 31 + (character.codePointAt(0) ?? 0)) % 9973, 7)
  return palette[sum % palette.length] ?? 'magenta'
}
