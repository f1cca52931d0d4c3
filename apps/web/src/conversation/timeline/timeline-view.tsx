/** The scrolling part of a conversation. Draws only what is near the eye, keeps the place when earlier messages arrive. */
import { useMemo, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { ArrowDown } from 'lucide-react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import type { ConversationSummary, Timeline } from '@tacit/sdk'
import { useMoments } from '../../time/use-moments.ts'
import { useEscape } from '../use-escape.ts'
import { BeginningTile } from './beginning-tile.tsx'
import { rowsOf } from './rows.ts'
import { Tile } from './tile.tsx'
import css from './timeline-view.module.css'
import { useReadMarker } from './use-read-marker.ts'
import { useTimelineScroll } from './use-timeline-scroll.ts'

interface TimelineViewProps {
  readonly summary: ConversationSummary
  readonly timeline: Timeline
  /** Escape in here jumps to the end, if `escapes`. */
  readonly within: RefObject<HTMLElement | null>
  readonly escapes: boolean
}

/** Rows this far outside of the view are drawn and measured already, so that they have their size when they come in. */
const BUFFER_PX = 800

export function TimelineView({ summary, timeline, within, escapes }: TimelineViewProps) {
  const { t } = useTranslation()
  const { dayKey } = useMoments()
  const listRef = useRef<VirtualizerHandle>(null)
  const { conversation, kind } = summary
  // What arrives under somebody's eyes is not new to them: without a line when they came, there is none later.
  const [hasUnread] = useState(timeline.firstUnread !== undefined)
  const firstUnread = hasUnread ? timeline.firstUnread : undefined
  const rows = useMemo(() => rowsOf({ timeline, firstUnread, kind, dayKey }), [timeline, firstUnread, kind, dayKey])
  const scroll = useTimelineScroll({ conversation, timeline, rows, listRef })
  useEscape({ within, on: escapes, escape: scroll.jumpToEnd })
  const markVisible = useReadMarker({ conversation, rows, listRef })
  return (
    <div className={css['frame']}>
      {/* It scrolls, so the keyboard must be able to reach it. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className={css['scroller']} aria-label={t('conversation.messages', { title: summary.title })} tabIndex={0}>
        {rows.length === 0 && <BeginningTile summary={summary} />}
        <Virtualizer
          ref={listRef}
          as="ul"
          item="li"
          bufferSize={BUFFER_PX}
          shift={scroll.shift}
          onScroll={scroll.onScroll}
          onScrollEnd={markVisible}
          onResize={() => {
            scroll.onResize()
            // The first look may have come before the list knew its own height.
            markVisible()
          }}
          data={rows}
        >
          {(row) => <Tile key={row.key} row={row} summary={summary} />}
        </Virtualizer>
      </section>
      {scroll.loadingEarlier && <output className={css['earlier']}>{t('conversation.earlier')}</output>}
      {!scroll.atEnd && (
        <button type="button" className={css['jump']} onClick={scroll.jumpToEnd}>
          <ArrowDown size={18} aria-hidden="true" />
          {scroll.newer > 0 ? t('conversation.newer', { count: scroll.newer }) : <span className="sr-only">{t('conversation.toEnd')}</span>}
        </button>
      )}
    </div>
  )
}
