/** A row of the timeline: what stands above the item, then the item. The one place that knows which component draws which kind. */
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
  const { beginning, day, unread } = row.lead
  return (
    <>
      {beginning && <BeginningTile summary={summary} />}
      {day !== undefined && <DayTile time={day} />}
      {unread && <UnreadTile />}
      <Item row={row} summary={summary} />
    </>
  )
}

function Item({ row, summary }: TileProps) {
  switch (row.kind) {
    case 'message':
      return <MessageTile row={row} conversation={summary.conversation} inGroup={summary.kind === 'group'} />
    case 'notice':
      return <NoticeTile item={row.item} />
    case 'unreadable':
      return <UnreadableTile item={row.item} />
  }
}
