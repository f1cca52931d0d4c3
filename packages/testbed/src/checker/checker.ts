/**
 * Checks a history against the delivery guarantee and names each violation by its invariant. It shares no code with the
 * product. The position in the log is the order, so no search is needed: O(n log n) for n lines.
 */
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { FinalLine, HistoryLine, LogLine, Operation } from './history.ts'

export interface Violation {
  readonly id: `D-${number}`
  readonly says: string
  /** Numbers of the lines that prove it, from 1. */
  readonly lines: readonly number[]
}

/** `acknowledged`: entries that some device was told are accepted; `delivered`: entries that devices kept, all together. */
export interface Report {
  readonly lines: number
  readonly acknowledged: number
  readonly delivered: number
  readonly violations: readonly Violation[]
}

/** Something that was said in a line of the history. */
type At<T> = T & { readonly line: number }

/** Bytes that a device offered as an entry; `before`: the same message in other bytes. */
interface Offer {
  readonly op: At<Operation> & { readonly hash: string }
  readonly before: Offer | undefined
  accepted?: At<{ seq: number; t: number }>
  refused?: number
}

/** One device in one conversation: it reads what is after `from` and not after `to`. */
interface Reader {
  readonly received: At<{ readonly seq: number; readonly hash: string; readonly message: string | undefined }>[]
  readonly intervals: At<{ from: number; to?: number }>[]
  account?: string | undefined
  cursor?: At<{ seq: number }>
  final?: At<FinalLine>
}

class Conversation {
  readonly log: At<LogLine>[] = []
  readonly offers = new Map<string, Offer>()
  readonly byMessage = new Map<string, Offer>()
  readonly readers = new Map<string, Reader>()
  readonly transcripts = new Map<`${number} ${string}`, At<Operation>>()
  alarmed = false
}

/** Reads a history to its end. Throws when a line is not JSON. */
export async function checkHistory(input: NodeJS.ReadableStream): Promise<Report> {
  const checker = new Checker()
  for await (const line of createInterface({ input })) checker.add(JSON.parse(line))
  return checker.finish()
}

export class Checker {
  readonly #conversations = new Map<string, Conversation>()
  readonly #violations: Violation[] = []
  #line = 0
  #delivered = 0

  /** The next line. Those of the final log and of final places come last. */
  add(says: HistoryLine): void {
    const line = ++this.#line
    const conversation = obtain(this.#conversations, says.conv, () => new Conversation())
    if (says.op === 'log') conversation.log.push({ ...says, line })
    else if (says.op === 'final') readerOf(conversation, says.device).final = { ...says, line }
    else if (says.op === 'alarm') conversation.alarmed = true
    else if (says.op === 'send' || says.op === 'commit') this.#addOffer(conversation, { ...says, line, hash: says.hash ?? '' })
    else this.#addReading(conversation, { ...says, line })
  }

  finish(): Report {
    let acknowledged = 0
    for (const conversation of this.#conversations.values()) {
      conversation.log.sort((left, right) => left.seq - right.seq)
      this.#checkLog(conversation)
      this.#checkOrder(conversation)
      this.#checkTranscripts(conversation)
      for (const [device, reader] of conversation.readers) {
        this.#checkReceived(conversation, device, reader)
        if (reader.final) this.#checkFinal(conversation, reader, reader.final)
      }
      for (const { op, accepted } of conversation.offers.values()) {
        if (!accepted) continue
        acknowledged += 1
        const stands = conversation.log[accepted.seq - 1]
        if (stands?.hash !== op.hash) this.#found('D-1', `${op.device} was told that its entry is at ${accepted.seq}`, accepted, stands)
      }
    }
    return { lines: this.#line, acknowledged, delivered: this.#delivered, violations: this.#violations }
  }

  #found(id: Violation['id'], says: string, ...proof: (At<object> | undefined)[]): void {
    this.#violations.push({ id, says, lines: proof.flatMap((one) => one?.line ?? []) })
  }

  #addOffer({ offers, byMessage }: Conversation, op: Offer['op']): void {
    const { hash, phase, seq = 0, t, line, message_id: message } = op
    const known = offers.get(hash)
    if (phase === 'invoke' && !known) {
      const offer: Offer = { op, before: message === undefined ? undefined : byMessage.get(message) }
      offers.set(hash, offer)
      if (message !== undefined) byMessage.set(message, offer)
      for (let { before } = offer; before; { before } = before)
        if (before.op.epoch === op.epoch) this.#found('D-6', `${message} was sealed twice in epoch ${op.epoch}`, before.op, op)
    } else if (phase === 'fail' && known) known.refused ??= line
    else if (phase === 'ok' && !known) this.#found('D-1', `${op.device} was told of an entry that it never offered`, op)
    else if (phase === 'ok' && known) {
      known.accepted ??= { line, seq, t }
      if (known.accepted.seq !== seq) this.#found('D-1', `one entry was accepted at ${known.accepted.seq} and ${seq}`, known.accepted, op)
    }
  }

  #addReading(conversation: Conversation, says: At<Operation>): void {
    const { op, phase, device, seq = 0, hash = '', message_id: message, transcript: value, line } = says
    const reader = readerOf(conversation, device)
    const interval = reader.intervals.at(-1)
    if (op === 'join') {
      reader.intervals.push({ line, from: seq })
      reader.account ??= says.account
    } else if (op === 'leave' && interval) interval.to = seq
    else if (op === 'recv' && phase === 'fail') this.#found('D-13', `${device} could not open ${seq}`, says)
    else if (op === 'recv') {
      this.#delivered += 1
      // The offer's own strings: a million receipts would keep a million copies.
      const offered = conversation.offers.get(hash)?.op
      const shared = offered?.message_id === message ? offered?.message_id : message
      reader.received.push({ line, seq, hash: offered?.hash ?? hash, message: shared })
      if (value !== undefined) obtain(conversation.transcripts, `${seq} ${value}`, () => says)
    } else if (op === 'ack') this.#addCursor(reader, { ...says, seq })
  }

  #addCursor(reader: Reader, says: At<Operation> & { readonly seq: number }): void {
    const has = reader.received.at(-1)
    // Whoever came back begins behind what it was not there for.
    const kept = Math.max(has?.seq ?? 0, reader.intervals.at(-1)?.from ?? 0)
    if (has && kept < says.seq) this.#found('D-9', `${says.device} acknowledged ${says.seq} and has kept ${kept}`, has, says)
    if (says.phase !== 'ok') return
    if (says.seq < (reader.cursor?.seq ?? 0)) this.#found('D-9', `the cursor of ${says.device} went back`, reader.cursor, says)
    reader.cursor = { seq: says.seq, line: says.line }
  }

  #checkLog({ log, offers }: Conversation): void {
    const counters = new Map<string, At<LogLine>>()
    const messages = new Map<string, At<LogLine>>()
    let epoch = 0
    for (const [at, entry] of log.entries()) {
      const { seq, device, kind, client_seq: counter } = entry
      if (seq !== at + 1) this.#found('D-3', `entry ${seq} stands in place ${at + 1}`, log[at - 1], entry)
      const offer = offers.get(entry.hash)
      if (offer?.op.device !== device || offer.op.client_seq !== counter)
        this.#found('D-2', `nobody offered entry ${seq} like this`, offer?.op, entry)
      else if (offer.refused !== undefined) this.#found('D-2', `entry ${seq} was refused for good`, { line: offer.refused }, entry)
      const message = entry.message_id ?? offer?.op.message_id
      const twin = message === undefined ? entry : obtain(messages, message, () => entry)
      if (twin !== entry) this.#found('D-5', `${message} is twice in the log`, twin, entry)
      const before = counters.get(device)
      const expected = (before?.client_seq ?? 0) + 1
      if (counter !== expected) this.#found('D-6', `${device} counts ${counter} where ${expected} is next`, before, entry)
      counters.set(device, entry)
      if (entry.epoch !== epoch) this.#found('D-8', `entry ${seq} is of epoch ${entry.epoch} in epoch ${epoch}`, log[at - 1], entry)
      epoch = kind === 'commit' ? entry.epoch + 1 : entry.epoch
    }
  }

  /** D-7, from the end: what was offered after a later entry's acceptance cannot stand before that entry. */
  #checkOrder({ log, offers }: Conversation): void {
    let earliest: At<{ t: number }> | undefined
    for (const entry of log.toReversed()) {
      const offer = offers.get(entry.hash)
      if (offer && earliest && earliest.t < offer.op.t)
        this.#found('D-7', `entry ${entry.seq} was offered after a later one was accepted`, earliest, offer.op, entry)
      if (offer?.accepted && offer.accepted.t < (earliest?.t ?? Infinity)) earliest = offer.accepted
    }
  }

  /** D-12: H_n = SHA-256("log" || H_(n-1) || n || hash_n), from 32 zero bytes. */
  #checkTranscripts({ log, transcripts, alarmed }: Conversation): void {
    if (transcripts.size === 0 || alarmed) return
    let before: Uint8Array = new Uint8Array(32)
    for (const { seq, hash } of log) {
      const number = seq.toString(16).padStart(16, '0')
      before = createHash('sha256').update('log').update(before).update(number, 'hex').update(hash, 'hex').digest()
      transcripts.delete(`${seq} ${Buffer.from(before).toString('hex')}`)
    }
    for (const other of transcripts.values()) this.#found('D-12', `${other.device} has a transcript that is not the log's`, other)
  }

  #checkReceived({ log }: Conversation, device: string, { received, intervals, final }: Reader): void {
    if (intervals.length === 0 && final) intervals.push({ line: final.line, from: final.from_seq })
    const shown = new Map<string, object>()
    for (const [at, one] of received.entries()) {
      const { seq, hash, message } = one
      const before = received[at - 1]
      if (log[seq - 1]?.hash !== hash) this.#found('D-4', `${device} has other bytes at ${seq}`, one, log[seq - 1])
      const begins = seq > (before?.seq ?? 0) && intervals.some(({ from }) => seq === from + 1)
      if (!begins && seq !== (before?.seq ?? -1) + 1)
        this.#found('D-4', `${device} was given ${seq} out of turn`, before ?? intervals[0], one)
      const twin = message === undefined ? one : obtain(shown, message, () => one)
      if (twin !== one) this.#found('D-5', `${device} shows ${message} twice`, one)
      const isMember = intervals.some(({ from, to = final?.to_seq ?? Infinity }) => from < seq && seq <= to)
      if (!isMember) this.#found('D-13', `${device} read ${seq}, where it is no member`, intervals.at(-1), one)
    }
  }

  #checkFinal({ log, readers }: Conversation, { received, intervals, account, cursor }: Reader, final: At<FinalLine>): void {
    const { device } = final
    const end = Math.min(final.to_seq ?? intervals.at(-1)?.to ?? log.length, log.length)
    if (final.cursor > log.length) this.#found('D-9', `the cursor of ${device} is past the end of the log`, log.at(-1), final)
    if (cursor && final.cursor < cursor.seq) this.#found('D-9', `the cursor of ${device} was stored and lost`, cursor, final)
    if (final.outbox > 0) this.#found('D-20', `${device} still has ${final.outbox} to say`, final)
    if (final.cursor < end) this.#found('D-11', `${device} stopped at ${final.cursor} of ${end}`, final)
    const last = received.at(-1)
    if (!last || Math.max(last.seq, intervals.at(-1)?.from ?? 0) >= end) return
    this.#found('D-11', `${device} has ${last.seq} of ${end}`, last, final)
    const own = log.slice(last.seq, end).find((entry) => account !== undefined && readers.get(entry.device)?.account === account)
    if (own) this.#found('D-10', `${device} misses what ${own.device} of the same person said`, last, own)
  }
}

const readerOf = ({ readers }: Conversation, device: string): Reader => obtain(readers, device, () => ({ received: [], intervals: [] }))

function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}
