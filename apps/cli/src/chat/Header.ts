/** What is open, who we are, and whether the server can be reached. */
import type { ReactElement } from 'react'
import type { ConnectionState, ConversationSummary, SessionState } from '@tacit/sdk'
import { box, words } from './words.ts'

interface HeaderProps {
  readonly open: ConversationSummary | undefined
  readonly session: SessionState
  readonly connection: ConnectionState
}

export function Header({ open, session, connection }: HeaderProps): ReactElement {
  const me = session.kind === 'signed_in' ? `@${session.me.handle}` : 'session ended: sign in again'
  return box(
    {
      flexShrink: 0,
      paddingX: 1,
      justifyContent: 'space-between',
      borderStyle: 'single',
      borderTop: false,
      borderLeft: false,
      borderRight: false,
      borderDimColor: true,
    },
    words(open ? title(open) : 'Tacit', { bold: true, wrap: 'truncate-end' }),
    box(
      { flexShrink: 0, marginLeft: 2 },
      words(`${me} · `, { dimColor: true }),
      words(reachOf(connection), { color: connection.kind === 'online' ? 'green' : 'yellow' }),
    ),
  )
}

function title({ kind, title: name, people, peerOnline, standing }: ConversationSummary): string {
  const whom = kind === 'direct' ? `@${name}${peerOnline ? ' ●' : ''}` : `${name} · ${people} people`
  return standing === 'active' ? whom : `${whom} · ${standings[standing]}`
}

/** What waits is told only while it has to wait: otherwise it is gone before anybody has read it. */
export function reachOf({ kind, unsent }: ConnectionState): string {
  const away = kind === 'offline' || kind === 'waiting'
  return away && unsent > 0 ? `${reach[kind]} · ${unsent} waiting to be sent` : reach[kind]
}

const reach: Record<ConnectionState['kind'], string> = {
  offline: 'offline',
  connecting: 'connecting…',
  waiting: 'offline, trying again',
  catching_up: 'catching up…',
  online: 'online',
}

const standings = {
  joining: 'joining…',
  left: 'you left',
  removed: 'you were removed',
  paused: 'repairing…',
  stuck: 'stopped: its rules were broken (`tacit anew`)',
} as const
