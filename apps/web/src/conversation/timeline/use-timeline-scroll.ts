/**
 * Where the timeline is scrolled to. It opens at the unread line, or where the person left it, or at the end; stays at
 * the end while new messages arrive; and does not move under somebody who reads further up.
 */
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { ConversationId, Timeline } from '@tacit/sdk'
import type { VirtualizerHandle } from 'virtua'
import { useMessenger } from '../../messenger/messenger-context.tsx'
import { countAfter, type Row } from './rows.ts'

/** Nearer to the end than this counts as being there. */
const END_PX = 48
/** Earlier messages are asked for when this much is left above. */
const EARLIER_PX = 600
const EARLIER_COUNT = 60

interface Place {
  /** The row that was on top. */
  readonly key: string
  /** How much of it was above the edge, in pixels. */
  readonly into: number
}

/** Where conversations were left; absent for one that was at its end. Lives as long as the page. */
const places = new Map<ConversationId, Place>()

interface TimelineScrollOptions {
  readonly conversation: ConversationId
  readonly timeline: Timeline
  readonly rows: readonly Row[]
  readonly listRef: RefObject<VirtualizerHandle | null>
}

export interface TimelineScroll {
  /** True while drawing rows that were put before the others. */
  readonly shift: boolean
  readonly loadingEarlier: boolean
  readonly atEnd: boolean
  /** Messages of others that arrived below what is seen. */
  readonly newer: number
  readonly onScroll: (offset: number) => void
  readonly onResize: () => void
  readonly jumpToEnd: () => void
}

export function useTimelineScroll({ conversation, timeline, rows, listRef }: TimelineScrollOptions): TimelineScroll {
  const { items } = timeline
  const lastKey = items.at(-1)?.key
  const [atEnd, setAtEnd] = useState(true)
  const [seenKey, setSeenKey] = useState(lastKey)
  const shift = useShift(rows)
  const [loadingEarlier, loadEarlier] = useEarlier({ conversation, timeline })
  const latest = useRef({ rows, atEnd: true, positioned: false })
  useLayoutEffect(() => {
    latest.current.rows = rows
  }, [rows])

  const toEnd = useCallback(() => listRef.current?.scrollToIndex(latest.current.rows.length - 1, { align: 'end' }), [listRef])

  useLayoutEffect(() => {
    const now = latest.current
    const opened = now.positioned ? undefined : openingAt(now.rows, places.get(conversation))
    now.positioned = true
    if (opened === undefined) return
    now.atEnd = false
    listRef.current?.scrollToIndex(opened.index, { align: opened.align, offset: opened.offset })
  }, [conversation, listRef])

  // What is written here brings the end into view; what others write does so only for those who are there.
  useLayoutEffect(() => {
    const last = latest.current.rows.at(-1)
    const wroteMyself = last?.kind === 'message' && last.item.mine && last.item.state.kind === 'sending'
    if (latest.current.atEnd || wroteMyself) toEnd()
  }, [lastKey, toEnd])

  const onScroll = useCallback(
    (offset: number) => {
      const handle = listRef.current
      if (handle === null) return
      const isEnd = offset + handle.viewportSize >= handle.scrollSize - END_PX
      latest.current.atEnd = isEnd
      setAtEnd(isEnd)
      if (isEnd) {
        places.delete(conversation)
        setSeenKey(lastKey)
      } else places.set(conversation, placeAt({ handle, rows: latest.current.rows, offset }))
      if (offset < EARLIER_PX) loadEarlier()
    },
    [conversation, lastKey, listRef, loadEarlier],
  )
  const onResize = useCallback(() => {
    if (latest.current.atEnd) toEnd()
  }, [toEnd])

  const newer = atEnd ? 0 : countAfter({ items, key: seenKey })
  return { shift, loadingEarlier, atEnd, newer, onScroll, onResize, jumpToEnd: toEnd }
}

interface PlaceOptions {
  readonly handle: VirtualizerHandle
  readonly rows: readonly Row[]
  readonly offset: number
}

function placeAt({ handle, rows, offset }: PlaceOptions): Place {
  const index = handle.findItemIndex(offset)
  return { key: rows[index]?.key ?? '', into: offset - handle.getItemOffset(index) }
}

interface Opening {
  readonly index: number
  readonly align: 'start' | 'center'
  readonly offset: number
}

function openingAt(rows: readonly Row[], place: Place | undefined): Opening | undefined {
  const left = place === undefined ? -1 : rows.findIndex(({ key }) => key === place.key)
  if (place !== undefined && left >= 0) return { index: left, align: 'start', offset: place.into }
  const unread = rows.findIndex(({ lead }) => lead.unread)
  return unread < 0 ? undefined : { index: unread, align: 'center', offset: 0 }
}

/** Whether the newest change of the rows put some before the first one. */
function useShift(rows: readonly Row[]): boolean {
  const [drawn, setDrawn] = useState({ rows, shift: false })
  if (drawn.rows === rows) return drawn.shift
  const first = drawn.rows[0]?.key
  const shift = first !== undefined && first !== rows[0]?.key
  setDrawn({ rows, shift })
  return shift
}

interface EarlierOptions {
  readonly conversation: ConversationId
  readonly timeline: Timeline
}

function useEarlier({ conversation, timeline }: EarlierOptions): readonly [loading: boolean, load: () => void] {
  const messenger = useMessenger()
  const busy = useRef(false)
  const [loading, setLoading] = useState(false)
  const load = useCallback(() => {
    if (busy.current || !timeline.hasEarlier) return
    busy.current = true
    setLoading(true)
    // A refusal leaves the place as it is; the next scroll asks again.
    messenger
      .loadEarlier({ conversation, count: EARLIER_COUNT })
      .catch(() => undefined)
      .finally(() => {
        busy.current = false
        setLoading(false)
      })
  }, [messenger, conversation, timeline.hasEarlier])
  return [loading, load]
}
