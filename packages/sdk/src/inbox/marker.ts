/**
 * Entries that kill the process. Before a batch of a catch-up is read, a marker is stored; the transaction that stores the
 * batch takes it away. A marker found at the start means that reading did not survive it: then entries are read one by one,
 * each with a marker of its own, and the one that is marked twice is passed over.
 */
import { ConversationId, decodeCbor, encodeCbor, type Entry } from '@tacit/contract'
import { blob } from '../local-store/columns.ts'
import type { StoreDriver, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'

interface Marker {
  readonly conversation: ConversationId
  readonly seq: number
  /** Whether it marks this one entry, or all from here on. */
  readonly exact: boolean
}

/** How the entries may be read: together, or one by one and without the one that is known to kill. */
export type Approach = { readonly kind: 'together' } | { readonly kind: 'one_by_one'; readonly deadly: number | undefined }

/**
 * The marker of one process. Only what an earlier process left counts: one that lives on after a failure - no room, no
 * network, an end in order - takes its own marker away, because no entry is to blame for that.
 */
export class ReadingMarker {
  readonly #store: StoreDriver
  /** What the last process left behind; kept until what it marks is stored. */
  #left: Promise<Marker | undefined> | undefined
  /** Whether a marker of this process is stored. */
  #own = false
  #ended = false

  constructor(store: StoreDriver) {
    this.#store = store
  }

  async approachTo(conversation: ConversationId): Promise<Approach> {
    const left = await this.#found()
    if (left?.conversation !== conversation) return { kind: 'together' }
    return { kind: 'one_by_one', deadly: left.exact ? left.seq : undefined }
  }

  /** Before reading: all from the entry on, or `exact`ly this one. */
  async mark({ conversation, first, exact }: { conversation: ConversationId; first: Entry; exact: boolean }): Promise<void> {
    await this.#found()
    if (this.#ended) throw storeError('closed')
    this.#own = true
    await this.#store.transaction((writer) => writeMarker(writer, { conversation, seq: first.seq, exact }))
  }

  /** The transaction with `clearMarker` in it is over. */
  cleared(): void {
    this.#own = false
  }

  /** Everything of the conversation that was marked is stored. */
  async passed(conversation: ConversationId): Promise<void> {
    if ((await this.#found())?.conversation === conversation) this.#left = Promise.resolve(undefined)
  }

  /** The process lives, whatever became of the reading: the database says what it said before. Where it cannot, it will be tried again. */
  async survived(): Promise<void> {
    if (!this.#own) return
    const left = await this.#found()
    const back = (writer: Writer): Promise<void> => (left ? writeMarker(writer, left) : clearMarker(writer))
    await this.#store.transaction(back).then(
      () => this.cleared(),
      () => undefined,
    )
  }

  /** The process ends in order: no reading begins any more, and none was its death. */
  async end(): Promise<void> {
    this.#ended = true
    await this.survived()
  }

  #found(): Promise<Marker | undefined> {
    this.#left ??= loadMarker(this.#store).catch((error: unknown) => {
      this.#left = undefined
      throw error
    })
    return this.#left
  }
}

const writeMarker = (writer: Writer, { conversation, seq, exact }: Marker): Promise<void> =>
  writer.run('insert or replace into setting (name, value) values (?, ?)', ['marker', encodeCbor([conversation, seq, exact])])

/** Part of the transaction that stores what was read. */
export const clearMarker = (writer: Writer): Promise<void> => writer.run('delete from setting where name = ?', ['marker'])

async function loadMarker(store: StoreDriver): Promise<Marker | undefined> {
  const row = await store.get('select value from setting where name = ?', ['marker'])
  const value = row && decodeCbor(blob(row, 'value'))
  if (!Array.isArray(value)) return undefined
  const [conversation, seq, exact] = value
  const parsed = ConversationId.safeParse(conversation).data
  return parsed && typeof seq === 'number' ? { conversation: parsed, seq, exact: exact === true } : undefined
}
