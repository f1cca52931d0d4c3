/**
 * A timeline that somebody looks at: it keeps where it begins and what was unread when it was opened, for as long as it is
 * watched. Opened again, it begins anew with the newest page.
 */
import type { AccountId, ConversationId } from '@tacit/contract'
import type { Live, Timeline } from '../api.ts'
import { LiveQuery, type ReadingEnded } from '../live.ts'
import type { Reader } from '../local-store/driver.ts'
import { positionBefore, readPosition, readTimeline } from './timeline.ts'

interface Source {
  readonly store: Reader
  readonly me: AccountId
  readonly typing: readonly AccountId[]
}

export class OpenTimeline implements Live<Timeline | undefined> {
  readonly #conversation: ConversationId
  readonly #source: () => Source | undefined
  readonly #query: LiveQuery<Timeline | undefined>
  #from: number | undefined
  #readBefore: number | undefined

  /** `source` answers undefined while nobody is signed in. */
  constructor(conversation: ConversationId, source: () => Source | undefined, ended: ReadingEnded) {
    this.#conversation = conversation
    this.#source = source
    this.#query = new LiveQuery<Timeline | undefined>(undefined, () => this.#read(), ended)
  }

  get(): Timeline | undefined {
    return this.#query.get()
  }

  subscribe(listener: () => void): () => void {
    if (!this.#query.watched) this.#openAnew()
    return this.#query.subscribe(listener)
  }

  refresh(): void {
    this.#query.refresh()
  }

  /** Begins `count` items earlier; resolves when that, and all that was stored before, is in the snapshot. */
  async loadEarlier(count: number): Promise<void> {
    const source = this.#source()
    if (!source) return
    const before = this.#from
    if (before !== undefined && count > 0)
      this.#from = await positionBefore(source.store, { conversation: this.#conversation, before, count })
    await this.#query.renew()
  }

  #openAnew(): void {
    this.#from = undefined
    this.#readBefore = undefined
    this.#query.refresh()
  }

  async #read(): Promise<Timeline | undefined> {
    const source = this.#source()
    if (!source) return undefined
    const { store, me, typing } = source
    const conversation = this.#conversation
    this.#readBefore ??= await readPosition(store, conversation)
    const from = this.#from
    const read = await readTimeline(store, { conversation, me, from, readBefore: this.#readBefore, typing })
    // Where the first page began; unless somebody asked for earlier ones meanwhile. A page that is not full yet goes on
    // growing at its beginning, when history comes from the archive.
    if (this.#from === from && read?.full) this.#from = read.from
    return read?.timeline
  }
}
