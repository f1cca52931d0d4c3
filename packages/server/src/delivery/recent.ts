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

/** Bytes of a generation, after which the next one begins: when everybody was given what came, and in any case. */
export interface RecentLimits {
  readonly served: number
  readonly bytes: number
}

/** The sooner an entry is forgotten, the less the collector has to do with it; a commit is never larger than the second (BATCH). */
const LIMITS: RecentLimits = { served: 512 * 1024, bytes: 4 * 1024 * 1024 }

/** Consecutive entries that end with the newest one known here. */
interface Tail {
  entries: PageEntry[]
  /** How many of them are of the generation before. */
  older: number
  /** The page that was asked for last, and from where: all who are awake ask for the same one. */
  page: (SharedPage & { readonly after: number }) | undefined
}

/** Entries are kept for the generation that they come in and for the next one. */
export class Recent {
  readonly #limits: RecentLimits
  #young = new Map<ConversationId, Tail>()
  #old: ReadonlyMap<ConversationId, Tail> = new Map()
  /** Of the entries that came in this generation. */
  #bytes = 0

  constructor(limits: RecentLimits = LIMITS) {
    this.#limits = limits
  }

  /** An entry that is on stable storage. */
  add(entry: RecentEntry, seq: number): void {
    const tail = this.#young.get(entry.conversation) ?? this.#begun(entry.conversation)
    const last = tail.entries.at(-1)
    if (last && seq <= last.seq) return
    // Others were accepted in between: elsewhere, or with a commit.
    if (last && seq !== last.seq + 1) [tail.entries, tail.older] = [[], 0]
    tail.entries.push(keptEntry(entry, seq))
    tail.page = undefined
    this.#bytes += entry.bytes.length
    if (this.#bytes >= this.#limits.bytes) this.#age()
  }

  /** Whoever is awake was given what came. */
  served(): void {
    if (this.#bytes >= this.#limits.served) this.#age()
  }

  /** Undefined when the store must be asked: for the entries, or whether the device is still a member. */
  page(request: PageRequest): PageOutcome | undefined {
    const tail = this.#young.get(request.conversation) ?? this.#old.get(request.conversation)
    const page = tail && this.#pageAfter(tail, request)
    // Every entry of an epoch is for those who are members in it, also the commit that ends it.
    const newest = page?.entries.at(-1)
    return page && newest && newest.epoch <= request.memberIn ? cutPage(page, request) : undefined
  }

  /** What retention removed must not be handed out from here. */
  clear(): void {
    this.#young.clear()
    this.#age()
  }

  #pageAfter(tail: Tail, { conversation, after }: PageRequest): SharedPage | undefined {
    if (tail.page?.after === after) return tail.page
    const first = tail.entries[0]
    const last = tail.entries.at(-1)
    if (!first || !last || first.seq > after + 1 || last.seq <= after) return undefined
    tail.page = { conversation, after, end: last.seq, entries: tail.entries.slice(after + 1 - first.seq), frames: new Map() }
    return tail.page
  }

  /** A log's first entry of this generation comes: what it has of the one before stays. */
  #begun(conversation: ConversationId): Tail {
    const old = this.#old.get(conversation)
    const entries = old ? old.entries.slice(old.older) : []
    const tail: Tail = { entries, older: entries.length, page: undefined }
    this.#young.set(conversation, tail)
    return tail
  }

  #age(): void {
    this.#old = this.#young
    this.#young = new Map()
    this.#bytes = 0
  }
}
