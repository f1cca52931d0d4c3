/**
 * A log as one device is told it: the real one with entries left out, put in or moved, told the same way by every door, so
 * that only what members sign can show the difference.
 */
import { fromBase64Url, toBase64Url, type ConversationId, type Entry, type EventFrame } from '@tacit/contract'
import type { ForgeAnswer } from '../weather.ts'
import type { Victim } from './stage.ts'

/** What the real entry at a position becomes. */
type Edit = (entry: Entry) => readonly Entry[]

export class LogLie {
  readonly #conversation: ConversationId
  /** By real position, in its order; what is not here is told as it is. */
  readonly #told = new Map<number, readonly Entry[]>()
  /** For the entries that come next. */
  readonly #planned: Edit[] = []

  private constructor(conversation: ConversationId) {
    this.#conversation = conversation
  }

  /** From now on the device hears of this conversation what the lie says; nothing is different yet. `besides`: what else the server lies about. */
  static to(victim: Pick<Victim, 'weather'>, conversation: ConversationId, besides: ForgeAnswer = (_url, body) => body): LogLie {
    const lie = new LogLie(conversation)
    victim.weather.forge((event) => lie.#forge(event))
    victim.weather.forgeAnswers((url, body) => besides(url, lie.#forgeAnswer(url, body)))
    return lie
  }

  leaveOutNext(count = 1): void {
    for (let left = count; left > 0; left -= 1) this.#planned.push(() => [])
  }

  /** The first waits for the second and comes after it. */
  swapNextTwo(): void {
    let first: Entry | undefined
    this.#planned.push(
      (entry) => {
        first = entry
        return []
      },
      (entry) => (first ? [entry, first] : [entry]),
    )
  }

  insertBeforeNext(made: Entry): void {
    this.#planned.push((entry) => [made, entry])
  }

  replaceNext(edit: (entry: Entry) => Entry): void {
    this.#planned.push((entry) => [edit(entry)])
  }

  #forge(event: EventFrame): EventFrame | undefined {
    if (event.name !== 'delivery.entries' || event.body.conversation !== this.#conversation) return event
    const entries = event.body.entries.flatMap((entry) => this.#tell(entry))
    if (entries.length === 0) return undefined
    return { ...event, body: { ...event.body, entries } }
  }

  /** An entry where it stands in the log that is told. */
  #tell(entry: Entry): readonly Entry[] {
    const told = this.#told.get(entry.seq) ?? this.#planned.shift()?.(entry) ?? [entry]
    this.#told.set(entry.seq, told)
    return told.map((one, at) => ({ ...one, seq: entry.seq + this.#shiftBefore(entry.seq) + at }))
  }

  /** How many more entries than there are have been told before a position. */
  #shiftBefore(seq: number): number {
    let shift = 0
    for (const [at, told] of this.#told) if (at < seq) shift += told.length - 1
    return shift
  }

  #forgeAnswer(url: string, body: unknown): unknown {
    const { pathname, searchParams } = new URL(url)
    if (!pathname.includes(this.#conversation) || typeof body !== 'object' || body === null) return body
    if ('entries' in body && Array.isArray(body.entries)) return { ...body, entries: body.entries.flatMap((one) => this.#tellJson(one)) }
    if (!('hashes' in body) || !Array.isArray(body.hashes)) return body
    const after = Number(searchParams.get('after') ?? 0)
    return { ...body, hashes: body.hashes.filter((_hash, at) => this.#told.get(after + 1 + at)?.length !== 0) }
  }

  #tellJson(json: Omit<Entry, 'bytes'> & { readonly bytes: string }): readonly unknown[] {
    const bytes = fromBase64Url(json.bytes) ?? new Uint8Array()
    return this.#tell({ ...json, bytes }).map((entry) => ({ ...entry, bytes: toBase64Url(entry.bytes) }))
  }
}
