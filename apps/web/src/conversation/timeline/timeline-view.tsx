/** The scrolling part of a conversation. Draws only what is near the eye, keeps the place when earlier messages arrive. */
import { useMemo, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { ArrowDown } from 'lucide-react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import type { ConversationSummary, Timeline } from '@tacit/sdk'
import { useMoments } from '../../time/use-moments.ts'
import { useEscape } from '../use-escape.ts'
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

export function TimelineView({ summary, timeline, within, escapes }: TimelineViewProps) {
  const { t } = useTranslation()
  const { dayKey } = useMoments()
  const listRef = useRef<VirtualizerHandle>(null)
  const { conversation, kind } = summary
  // What arrives under somebody's eyes is not new to them: the line stays where it was when they came.
  const [firstUnread] = useState(timeline.firstUnread)
  const rows = useMemo(() => rowsOf({ timeline, firstUnread, kind, dayKey }), [timeline, firstUnread, kind, dayKey])
  const scroll = useTimelineScroll({ conversation, timeline, rows, listRef })
  useEscape({ within, on: escapes, escape: scroll.jumpToEnd })
  const markVisible = useReadMarker({ conversation, rows, listRef })
  return (
    <div className={css['frame']}>
      {/* It scrolls, so the keyboard must be able to reach it. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className={css['scroller']} aria-label={t('conversation.messages', { title: summary.title })} tabIndex={0}>
        <Virtualizer
          ref={listRef}
          as="ul"
          item="li"
          shift={scroll.shift}
          onScroll={scroll.onScroll}
          onScrollEnd={markVisible}
          onResize={scroll.onResize}
          data={rows}
        >
          {(row) => <Tile key={row.key} row={row} summary={summary} />}
        </Virtualizer>
      </section>
      {!scroll.atEnd && (
        <button type="button" className={css['jump']} onClick={scroll.jumpToEnd}>
          <ArrowDown size={18} aria-hidden="true" />
          {scroll.newer > 0 ? t('conversation.newer', { count: scroll.newer }) : <span className="sr-only">{t('conversation.toEnd')}</span>}
        </button>
      )}
    </div>
  )
}
