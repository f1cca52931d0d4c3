/**
 * What the person has on the screen: which conversation, how far back, what is being written, what went wrong. It lives
 * outside of React because several keys may arrive at once, and each must see what the one before it did.
 */
import type { ConversationSummary, Live, Messenger, Timeline } from '@tacit/sdk'
import { explain } from '../failures.ts'
import { edit, emptyDraft } from './draft.ts'
import type { Draft } from './draft.ts'
import { inboxOf } from './inbox.ts'
import type { Wish } from './keys.ts'

type ConversationId = ConversationSummary['conversation']

export interface DeskState {
  /** Undefined while there is no conversation: then the first one that comes is open. */
  readonly chosen: ConversationId | undefined
  /** Index in the list that the person points at while switching. */
  readonly pointed: number | undefined
  readonly drafts: ReadonlyMap<ConversationId, Draft>
  /** Key of the item at the bottom of the screen, for conversations that do not follow the newest. */
  readonly anchors: ReadonlyMap<ConversationId, string>
  /** The last thing that did not work, in a sentence. */
  readonly trouble: string | undefined
}

export type DeskDevice = Pick<Messenger, 'watch' | 'send' | 'retry' | 'setTyping' | 'loadEarlier'>

interface DeskRequest {
  readonly device: DeskDevice
  readonly start: ConversationId | undefined
  readonly quit: () => void
}

/** How many items one step back or forward goes. */
const PAGE = 8

export class Desk implements Live<DeskState> {
  readonly conversations: Live<readonly ConversationSummary[] | undefined>
  readonly #device: DeskDevice
  readonly #quit: () => void
  readonly #timelines = new Map<ConversationId, Live<Timeline | undefined>>()
  readonly #listeners = new Set<() => void>()
  #state: DeskState
  #typingIn: ConversationId | undefined

  constructor({ device, start, quit }: DeskRequest) {
    this.#device = device
    this.#quit = quit
    this.conversations = inboxOf(device.watch('conversations'), start)
    this.#state = { chosen: start, pointed: undefined, drafts: new Map(), anchors: new Map(), trouble: undefined }
  }

  get(): DeskState {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The conversation that is open. */
  get open(): ConversationSummary | undefined {
    const all = this.conversations.get() ?? []
    const { chosen } = this.#state
    return chosen === undefined ? all[0] : all.find(({ conversation }) => conversation === chosen)
  }

  timeline(conversation: ConversationId): Live<Timeline | undefined> {
    const known = this.#timelines.get(conversation)
    if (known) return known
    const live = this.#device.watch('timeline', conversation)
    this.#timelines.set(conversation, live)
    return live
  }

  draft(conversation: ConversationId): Draft {
    return this.#state.drafts.get(conversation) ?? emptyDraft
  }

  /** Does what a key asks for. */
  fulfil(wish: Wish): void {
    const open = this.open?.conversation
    if (wish.kind === 'quit' || (wish.kind === 'quit_if_empty' && (!open || this.draft(open).text === ''))) return this.#quit()
    if (this.#state.pointed !== undefined) this.#point(wish, this.#state.pointed)
    else if (wish.kind === 'switch') this.#set({ pointed: this.#indexOf(open) })
    else if (open) this.#talk(wish, open)
    this.#tellTyping()
  }

  #point(wish: Wish, pointed: number): void {
    const all = this.conversations.get() ?? []
    if (wish.kind === 'up') this.#set({ pointed: Math.max(0, pointed - 1) })
    if (wish.kind === 'down' || wish.kind === 'switch') this.#set({ pointed: Math.max(0, Math.min(all.length - 1, pointed + 1)) })
    if (wish.kind === 'back') this.#set({ pointed: undefined })
    if (wish.kind === 'send') this.#set({ pointed: undefined, chosen: all[pointed]?.conversation ?? this.#state.chosen })
  }

  #talk(wish: Wish, open: ConversationId): void {
    if (wish.kind === 'edit') this.#write(open, edit(this.draft(open), wish.edit))
    if (wish.kind === 'send') this.#send(open)
    if (wish.kind === 'retry') for (const message of failedIn(this.timeline(open).get())) this.#attempt(this.#device.retry({ message }))
    if (wish.kind === 'later') this.#scroll(open, PAGE)
    if (wish.kind === 'earlier') this.#scroll(open, -PAGE)
  }

  #send(open: ConversationId): void {
    const draft = this.draft(open)
    const text = draft.text.trimEnd()
    if (text === '') return
    // What was refused is not lost, unless the person has begun something new.
    const giveBack = () => {
      if (this.draft(open).text === '') this.#write(open, draft)
    }
    this.#attempt(this.#device.send({ conversation: open, text }), giveBack)
    this.#write(open, emptyDraft)
    this.#anchor(open, undefined)
  }

  #scroll(open: ConversationId, by: number): void {
    const timeline = this.timeline(open).get()
    if (!timeline) return
    const { items, hasEarlier } = timeline
    const anchored = items.findIndex(({ key }) => key === this.#state.anchors.get(open))
    const next = Math.max(PAGE, (anchored === -1 ? items.length - 1 : anchored) + by)
    this.#anchor(open, next < items.length - 1 ? items[next]?.key : undefined)
    if (by < 0 && hasEarlier && next < 4 * PAGE) this.#attempt(this.#device.loadEarlier({ conversation: open, count: 4 * PAGE }))
  }

  #write(open: ConversationId, draft: Draft): void {
    this.#set({ drafts: new Map(this.#state.drafts).set(open, draft) })
  }

  #anchor(open: ConversationId, key: string | undefined): void {
    const anchors = new Map(this.#state.anchors)
    if (key === undefined) anchors.delete(open)
    else anchors.set(open, key)
    this.#set({ anchors })
  }

  #tellTyping(): void {
    const open = this.#state.pointed === undefined ? this.open?.conversation : undefined
    const typingIn = open && this.draft(open).text !== '' ? open : undefined
    if (typingIn === this.#typingIn) return
    // Typing is a hint; nobody misses one that did not get out.
    if (this.#typingIn) this.#device.setTyping({ conversation: this.#typingIn, typing: false }).catch(() => {})
    if (typingIn) this.#device.setTyping({ conversation: typingIn, typing: true }).catch(() => {})
    this.#typingIn = typingIn
  }

  #attempt(work: Promise<unknown>, failed = () => {}): void {
    work.then(
      () => this.#set({ trouble: undefined }),
      (error: unknown) => {
        failed()
        this.#set({ trouble: sentence(error) })
      },
    )
  }

  #set(change: Partial<DeskState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }

  #indexOf(open: ConversationId | undefined): number {
    return Math.max(
      0,
      (this.conversations.get() ?? []).findIndex(({ conversation }) => conversation === open),
    )
  }
}

function failedIn(timeline: Timeline | undefined) {
  return (timeline?.items ?? []).flatMap((item) => (item.kind === 'message' && item.state.kind === 'failed' ? [item.message] : []))
}

function sentence(error: unknown): string {
  const { sentence: what, next } = explain(error)
  return `${what} ${next}`.trim()
}
