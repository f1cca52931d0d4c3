/** The one place that knows which component draws which kind of row. */
import type { ConversationSummary } from '@tacit/sdk'
import { BeginningTile } from './beginning-tile.tsx'
import { DayTile, UnreadTile } from './line-tiles.tsx'
import { MessageTile } from './message-tile.tsx'
import { NoticeTile } from './notice-tile.tsx'
import type { Row } from './rows.ts'
import { UnreadableTile } from './unreadable-tile.tsx'

interface TileProps {
  readonly row: Row
  readonly summary: ConversationSummary
}

export function Tile({ row, summary }: TileProps) {
  switch (row.kind) {
    case 'beginning':
      return <BeginningTile hasEarlier={row.hasEarlier} summary={summary} />
    case 'day':
      return <DayTile time={row.time} />
    case 'unread':
      return <UnreadTile />
    case 'message':
      return <MessageTile row={row} inGroup={summary.kind === 'group'} />
    case 'notice':
      return <NoticeTile item={row.item} />
    case 'unreadable':
      return <UnreadableTile item={row.item} />
  }
}
