/**
 * The newest entries of each log, as this process accepted them: whoever is awake is given them from here, so that a live
 * message is written to the store and not read from it. Only what is on stable storage comes in, and an entry never changes;
 * whatever is not here is read from the store.
 */
import type { ConversationId } from '@tacit/contract'
import { cutPage, keptEntry, type PageEntry, type PageOutcome, type PageRequest, type SentEntry, type SharedPage } from './pages.ts'

export interface RecentEntry extends SentEntry {
  readonly conversation: ConversationId
}

/** Bytes of entries kept in all, and entries of one log. */
export interface RecentLimits {
  readonly bytes: number
  readonly entries: number
}

const LIMITS: RecentLimits = { bytes: 8 * 1024 * 1024, entries: 256 }

/** Consecutive entries that end with the newest one known here. */
interface Tail {
  readonly entries: PageEntry[]
  /** The page that was asked for last, and from where: all who are awake ask for the same one. */
  page: (SharedPage & { readonly after: number }) | undefined
}

export class Recent {
  readonly #limits: RecentLimits
  /** Least recently grown first. */
  readonly #tails = new Map<ConversationId, Tail>()
  #bytes = 0

  constructor(limits: RecentLimits = LIMITS) {
    this.#limits = limits
  }

  /** An entry that is on stable storage. */
  add(entry: RecentEntry, seq: number): void {
    const { conversation } = entry
    const tail = this.#tails.get(conversation) ?? { entries: [], page: undefined }
    const last = tail.entries.at(-1)
    if (last && seq <= last.seq) return
    // Others were accepted in between: elsewhere, or with a commit.
    if (last && seq !== last.seq + 1) this.#drop(tail, tail.entries.length)
    tail.entries.push(keptEntry(entry, seq))
    tail.page = undefined
    this.#bytes += entry.bytes.length
    this.#drop(tail, tail.entries.length - this.#limits.entries)
    this.#tails.delete(conversation)
    this.#tails.set(conversation, tail)
    this.#evict()
  }

  /** Undefined when the store must be asked: for the entries, or whether the device is still a member. */
  page(request: PageRequest): PageOutcome | undefined {
    const tail = this.#tails.get(request.conversation)
    const page = tail && this.#pageAfter(tail, request)
    // Every entry of an epoch is for those who are members in it, also the commit that ends it.
    const newest = page?.entries.at(-1)
    return page && newest && newest.epoch <= request.memberIn ? cutPage(page, request) : undefined
  }

  /** What retention removed must not be handed out from here. */
  clear(): void {
    this.#tails.clear()
    this.#bytes = 0
  }

  #pageAfter(tail: Tail, { conversation, after }: PageRequest): SharedPage | undefined {
    if (tail.page?.after === after) return tail.page
    const first = tail.entries[0]
    const last = tail.entries.at(-1)
    if (!first || !last || first.seq > after + 1 || last.seq <= after) return undefined
    tail.page = { conversation, after, end: last.seq, entries: tail.entries.slice(after + 1 - first.seq), frames: new Map() }
    return tail.page
  }

  #evict(): void {
    for (const [conversation, tail] of this.#tails) {
      if (this.#bytes <= this.#limits.bytes) return
      this.#drop(tail, tail.entries.length)
      this.#tails.delete(conversation)
    }
  }

  /** Forgets the oldest. */
  #drop({ entries }: Tail, count: number): void {
    if (count <= 0) return
    for (const { size } of entries.splice(0, count)) this.#bytes -= size
  }
}
