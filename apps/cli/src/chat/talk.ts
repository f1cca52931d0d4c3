/** One conversation on the screen: its timeline, how far back the person looks, what is being written, what went wrong. */
import { useEffect, useMemo, useRef, useState } from 'react'
import type { ConversationSummary, Live, Messenger, Timeline } from '@tacit/sdk'
import { explain } from '../failures.ts'
import { edit, emptyDraft } from './draft.ts'
import type { Draft } from './draft.ts'
import type { Wish } from './keys.ts'
import { useLive } from './live.ts'

type ConversationId = ConversationSummary['conversation']

export interface Talk {
  readonly timeline: Timeline | undefined
  /** Key of the item at the bottom of the screen; undefined follows the newest. */
  readonly anchor: string | undefined
  readonly draft: Draft
  /** The last thing that did not work, in a sentence. */
  readonly trouble: string | undefined
  fulfil(wish: Wish): void
}

interface TalkRequest {
  readonly device: Messenger
  readonly conversation: ConversationId | undefined
  /** How many items a step back or forward goes. */
  readonly page: number
}

const nothing: Live<Timeline | undefined> = { get: () => undefined, subscribe: () => () => {} }

export function useTalk({ device, conversation, page }: TalkRequest): Talk {
  const timeline = useLive(useMemo(() => (conversation ? device.watch('timeline', conversation) : nothing), [device, conversation]))
  const [drafts, setDrafts] = useState<ReadonlyMap<ConversationId, Draft>>(new Map())
  const [anchors, setAnchors] = useState<ReadonlyMap<ConversationId, string | undefined>>(new Map())
  const [trouble, setTrouble] = useState<string>()
  const attempt = (work: Promise<unknown>) => {
    work.then(
      () => setTrouble(undefined),
      (error: unknown) => setTrouble(sentence(error)),
    )
  }
  const draft = (conversation && drafts.get(conversation)) ?? emptyDraft
  const anchor = conversation && anchors.get(conversation)

  useRead({ device, conversation, timeline, following: anchor === undefined })
  useTyping({ device, conversation, typing: draft.text !== '' })

  const fulfil = (wish: Wish) => {
    if (!conversation) return
    const setAnchor = (key: string | undefined) => setAnchors(new Map(anchors).set(conversation, key))
    if (wish.kind === 'edit') setDrafts(new Map(drafts).set(conversation, edit(draft, wish.edit)))
    if (wish.kind === 'send' && draft.text.trim() !== '') {
      attempt(device.send({ conversation, text: draft.text }))
      setDrafts(new Map(drafts).set(conversation, emptyDraft))
      setAnchor(undefined)
    }
    if (wish.kind === 'retry') for (const message of failedIn(timeline)) attempt(device.retry({ message }))
    if (wish.kind === 'later') setAnchor(timeline && step(timeline, anchor, page))
    if (wish.kind === 'earlier' && timeline) {
      const earlier = step(timeline, anchor, -page)
      setAnchor(earlier)
      const near = timeline.items.findIndex(({ key }) => key === earlier) < 3 * page
      if (near && timeline.hasEarlier) attempt(device.loadEarlier({ conversation, count: 3 * page }))
    }
  }
  return { timeline, anchor, draft, trouble, fulfil }
}

/** Tells the others what was read: everything up to the newest item, while the newest is on the screen. */
function useRead({
  device,
  conversation,
  timeline,
  following,
}: Omit<TalkRequest, 'page'> & Pick<Talk, 'timeline'> & { readonly following: boolean }) {
  const read = useRef(new Map<ConversationId, number>())
  const newest = timeline?.items.findLast((item) => item.seq !== undefined)?.seq
  useEffect(() => {
    if (!following || !conversation || newest === undefined || newest <= (read.current.get(conversation) ?? -1)) return
    read.current.set(conversation, newest)
    // A receipt that did not get out is repeated by the next one.
    device.markRead({ conversation, seq: newest }).catch(() => {})
  }, [device, conversation, newest, following])
}

function useTyping({ device, conversation, typing }: Omit<TalkRequest, 'page'> & { readonly typing: boolean }) {
  useEffect(() => {
    if (!conversation || !typing) return
    // Typing is a hint; nobody misses one that did not get out.
    device.setTyping({ conversation, typing: true }).catch(() => {})
    return () => void device.setTyping({ conversation, typing: false }).catch(() => {})
  }, [device, conversation, typing])
}

/** The key of the item that many steps away; undefined at the newest, which then is followed. */
function step({ items }: Timeline, anchor: string | undefined, by: number): string | undefined {
  const found = items.findIndex(({ key }) => key === anchor)
  const next = Math.max(0, (found === -1 ? items.length - 1 : found) + by)
  return next >= items.length - 1 ? undefined : items[next]?.key
}

function failedIn(timeline: Timeline | undefined) {
  return (timeline?.items ?? []).flatMap((item) => (item.kind === 'message' && item.state.kind === 'failed' ? [item.message] : []))
}

function sentence(error: unknown): string {
  const { sentence: what, next } = explain(error)
  return `${what} ${next}`.trim()
}
