/**
 * Writes the history of a run while it happens, for the independent checker: what each device's network carried, and what its
 * database holds after each transaction, read past the SDK. At the end the server's database speaks, read past the server.
 */
import { createHash } from 'node:crypto'
import { decodeCommand, decodeFromServer, decodeResult, fromBase64Url, type CommandFrame } from '@tacit/contract'
import type { SqlValue } from '@tacit/sdk'
import { Checker, type Report } from '../checker/checker.ts'
import type { HistoryLine, Operation } from '../checker/history.ts'
import type { SimulatedDatabase } from '../disk/sqlite-database.ts'
import type { Loop } from './loop.ts'
import { BEGINNING } from './platform.ts'
import type { SocketTap, Tap } from './sim-network.ts'

/** Refusals after which the same bytes may still be accepted. */
const NOT_FOR_GOOD = new Set(['busy', 'unavailable', 'rate_limited', 'internal', 'storage_full', 'timed_out', 'unauthenticated'])

/** Whose history it is: a device, in one of its processes. */
export interface Recorded {
  /** Of the machine, whoever is signed in there. */
  readonly name: string
  /** Empty while nobody is signed in. */
  readonly device: string
  readonly account: string
  readonly proc: string
  /** Only what it offers counts: the server lies to it, or its store is older than what it said already. */
  readonly isUnsound: () => boolean
  /** It died often enough to take an honest entry for a deadly one (D-17): it keeps that one as a placeholder. */
  readonly mayPassOver: () => boolean
  /** Its store is older than what it said already. */
  readonly wentBack: () => boolean
  readonly database: () => SimulatedDatabase | undefined
}

/** What a device has in one conversation, as far as it was written down. */
interface Place {
  begins: number
  /** The last position that was written down as received. */
  received: number
}

export type Offer = Pick<Operation, 'op' | 'conv' | 'client_seq' | 'epoch' | 'hash'>

export class Recorder {
  readonly lines: HistoryLine[] = []
  readonly #loop: Loop
  readonly #places = new Map<string, Place>()
  /** Hash of what a machine was given at a position, by its name, conversation and position. */
  readonly #given = new Map<string, string>()
  #accepted = 0
  #someoneWentBack = false

  readonly #inLog: (offer: Offer & { readonly device: string }) => string | undefined
  readonly #reused: (says: string) => void

  /**
   * `inLog`: the hash of what the server's log has under that counter of that device, if it has something. `reused` hears of
   * a device that offers other bytes under a counter which it used before it went back (D-14).
   */
  constructor(parts: {
    readonly loop: Loop
    readonly inLog: (offer: Offer & { readonly device: string }) => string | undefined
    readonly reused: (says: string) => void
  }) {
    this.#loop = parts.loop
    this.#inLog = parts.inLog
    this.#reused = parts.reused
  }

  /** Entries whose senders were told that they are accepted. */
  get accepted(): number {
    return this.#accepted
  }

  /** Whether a placeholder for an honest entry breaks no promise. */
  isExcused(who: Pick<Recorded, 'mayPassOver'>, reason: string): boolean {
    // Who went back says again what it had said, and cannot know it.
    return (reason === 'unknown' && who.mayPassOver()) || (reason === 'duplicate' && this.#someoneWentBack)
  }

  tap(who: Recorded): Tap {
    if (who.wentBack()) this.#someoneWentBack = true
    return {
      socket: () => this.#socketTap(who),
      answered: (url, body) => {
        const conversation = /conversations\/([^/]+)\/entries/.exec(url)?.[1]
        if (conversation) this.#noteAnswer(who, conversation, body)
        return body
      },
    }
  }

  /** A transaction of the device's database is over: what it has now and had not before. */
  committed(who: Recorded): void {
    const database = who.database()
    if (!database || who.device === '' || who.isUnsound()) return
    for (const row of database.look('select conversation, standing, begins, cursor from conversation').all()) {
      const conversation = String(row['conversation'])
      const begins = Number(row['begins'])
      const place = this.#places.get(who.device + conversation)
      if (row['standing'] === 'joining' && !place) continue
      const known = place && place.begins === begins ? place : this.#joined(who, conversation, begins)
      if (Number(row['cursor']) > known.received) this.#received(who, conversation, known)
    }
  }

  /** Reads the end of the story from the server's database, and how much each device still has to say. */
  finish(server: SimulatedDatabase, unsaid: (device: string, conversation: string) => number | undefined): void {
    const entries = server
      .look('SELECT conversation, seq, hash, sender, client_seq, epoch, kind FROM entry ORDER BY conversation, seq')
      .all()
    for (const row of entries) this.lines.push(logLine(row))
    const places = server.look('SELECT conversation, device, cursor, from_seq, to_seq FROM membership ORDER BY conversation, device').all()
    for (const row of places) {
      const [conv, device] = [String(row['conversation']), String(row['device'])]
      const outbox = unsaid(device, conv)
      if (outbox === undefined) continue
      const to = row['to_seq']
      const line = { op: 'final', device, conv, cursor: Number(row['cursor']), from_seq: Number(row['from_seq']), outbox } as const
      this.lines.push(to === null ? line : { ...line, to_seq: Number(to) })
    }
  }

  check(): Report {
    const checker = new Checker()
    for (const line of this.lines) checker.add(line)
    return checker.finish()
  }

  #add(who: Recorded, line: Omit<Operation, 't' | 'proc' | 'device'>): void {
    this.lines.push({ t: this.#loop.now() - BEGINNING, proc: who.proc, device: who.device, ...line })
  }

  #joined(who: Recorded, conv: string, begins: number): Place {
    const place = { begins, received: begins }
    this.#places.set(who.device + conv, place)
    this.#add(who, { op: 'join', phase: 'ok', conv, seq: begins, account: who.account })
    return place
  }

  #received(who: Recorded, conv: string, place: Place): void {
    const database = who.database()
    const sql = `select t.seq, t.hash, i.kind, i.message, i.detail from transcript t
      left join item i on i.conversation = t.conversation and i.seq = t.seq and (i.message is not null or i.kind = 'unreadable')
      where t.conversation = ? and t.seq > ? order by t.seq`
    for (const row of database?.look(sql).all(conv, place.received) ?? []) {
      const seq = Number(row['seq'])
      if (seq === place.received) continue
      place.received = seq
      const hash = this.#given.get(`${who.name}${conv}${seq}`) ?? ''
      const message = row['message']
      this.#add(who, {
        op: 'recv',
        phase: row['kind'] === 'unreadable' && !this.isExcused(who, String(row['detail'])) ? 'fail' : 'ok',
        conv,
        seq,
        hash,
        ...(typeof message === 'string' && { message_id: message }),
        ...transcriptIn(row['hash']),
      })
    }
  }

  #socketTap(who: Recorded): SocketTap {
    const asked = new Map<number, { readonly frame: CommandFrame; readonly offers: readonly Offer[] }>()
    return {
      sent: (bytes) => {
        const frame = decodeCommand(bytes)
        if (frame.type !== 'command') return
        const offers = this.#offers(who, frame)
        if (offers.length === 0) return
        asked.set(frame.ref, { frame, offers })
      },
      received: (bytes) => {
        this.#hear(who, bytes, asked)
        return bytes
      },
      ended: () => {
        for (const { offers } of asked.values()) for (const offer of offers) this.#add(who, { ...offer, phase: 'info' })
      },
    }
  }

  /** What a command asks for, written down. */
  #offers(who: Recorded, frame: CommandFrame): Offer[] {
    const offers = offersIn(frame).filter(({ op }) => op !== 'ack' || !who.isUnsound())
    for (const offer of offers) {
      if (who.wentBack()) this.#checkCounter(who, offer)
      const message =
        offer.hash && who.database()?.look('select message from sealed where hash = ?').get(Buffer.from(offer.hash, 'hex'))?.['message']
      this.#add(who, { ...offer, phase: 'invoke', ...(typeof message === 'string' && !who.wentBack() && { message_id: message }) })
    }
    return offers
  }

  #checkCounter({ device, proc }: Recorded, offer: Offer): void {
    const stands = this.#inLog({ ...offer, device })
    if (stands === undefined || stands === offer.hash) return
    this.#reused(`${proc} offers other bytes under its counter ${offer.client_seq}, which is used`)
  }

  #hear(who: Recorded, bytes: Uint8Array, asked: Map<number, { readonly frame: CommandFrame; readonly offers: readonly Offer[] }>): void {
    const frame = decodeFromServer(bytes)
    if (frame.type === 'event' && frame.name === 'delivery.entries') {
      for (const entry of frame.body.entries) this.#note(who, { conversation: frame.body.conversation, seq: entry.seq, bytes: entry.bytes })
    }
    if (frame.type !== 'accepted' && frame.type !== 'refused') return
    const question = asked.get(frame.ref)
    asked.delete(frame.ref)
    if (!question) return
    for (const offer of question.offers) {
      if (frame.type === 'refused') this.#add(who, { ...offer, phase: NOT_FOR_GOOD.has(frame.failure) ? 'info' : 'fail' })
      else if (offer.op === 'ack') this.#add(who, { ...offer, phase: 'ok' })
      else {
        const result = decodeResult(question.frame.name, frame.result)
        const seq = 'seq' in result ? Number(result.seq) : 0
        this.#accepted += 1
        // A commit that opens an epoch is accepted with the position of its entry.
        this.#add(who, {
          ...offer,
          phase: 'ok',
          seq,
          ...('hash' in result && result.hash instanceof Uint8Array && { hash: hex(result.hash) }),
        })
      }
    }
  }

  #noteAnswer(who: Recorded, conversation: string, body: string): void {
    const answer: unknown = JSON.parse(body)
    if (typeof answer !== 'object' || answer === null || !('entries' in answer) || !Array.isArray(answer.entries)) return
    for (const entry of answer.entries as { seq: number; bytes: string }[])
      this.#note(who, { conversation, seq: entry.seq, bytes: fromBase64Url(entry.bytes) ?? new Uint8Array() })
  }

  #note({ name }: Recorded, { conversation, seq, bytes }: { conversation: string; seq: number; bytes: Uint8Array }): void {
    this.#given.set(`${name}${conversation}${seq}`, sha256(bytes))
  }
}

function offersIn(frame: CommandFrame): Offer[] {
  switch (frame.name) {
    case 'delivery.send':
    case 'delivery.nack': {
      const { conversation, clientSeq, bytes } = frame.body
      const epoch = 'epoch' in frame.body ? { epoch: frame.body.epoch } : {}
      return [{ op: 'send', conv: conversation, client_seq: clientSeq, hash: sha256(bytes), ...epoch }]
    }
    case 'conversations.commit': {
      const { conversation, clientSeq, epoch, commit } = frame.body
      return [{ op: 'commit', conv: conversation, client_seq: clientSeq, epoch, hash: sha256(commit) }]
    }
    case 'delivery.acknowledge':
      return frame.body.cursors.map(({ conversation, seq }) => ({ op: 'ack', conv: conversation, seq }) as const)
    default:
      return []
  }
}

function logLine(row: Record<string, SqlValue>): HistoryLine {
  const kind = (['message', 'commit', 'proposal', 'nack'] as const).find((known) => known === row['kind']) ?? 'message'
  return {
    op: 'log',
    conv: String(row['conversation']),
    seq: Number(row['seq']),
    hash: hex(row['hash']),
    device: String(row['sender']),
    client_seq: Number(row['client_seq']),
    epoch: Number(row['epoch']),
    kind,
  }
}

const transcriptIn = (value: SqlValue | undefined): { transcript?: string } =>
  value instanceof Uint8Array && value.length === 32 ? { transcript: hex(value) } : {}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const hex = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '')
