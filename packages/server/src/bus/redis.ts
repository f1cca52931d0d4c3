/**
 * The bus of several servers: doorbells go through Redis, all of one turn of the event loop in one message. Redis may lose,
 * delay or double any of them, and says nothing, so this bus keeps an eye on itself: each server numbers its messages and sends
 * one now and then even if there is nothing to say. A number that is missing, a server that fell silent, an own message that
 * did not come back: each puts the bus in doubt for a while, and in doubt everything is read again from the database (rounds.ts).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeCbor, encodeCbor, type CborValue } from '@tacit/contract'
import type { Clock } from '../clock.ts'
import type { Bus, Notice, NoticeKind, NoticeOf } from './bus.ts'
import { createInProcessBus } from './in-process.ts'
import { decodeNotice, encodeNotice } from './notices.ts'
import type { RedisLink } from './redis-link.ts'

/** A notice with its id, if it was written down. */
export interface Rung {
  readonly notice: Notice
  readonly id: string | undefined
}

export interface RedisBusDeps {
  readonly link: Pick<RedisLink, 'isUp' | 'prefix' | 'ask' | 'listen'>
  /** A random id of this process. */
  readonly node: string
  readonly clock: Clock
  /** Hears of a listener that threw. */
  onFault(error: unknown): void
  /** Doorbells may have been lost just now. */
  onDoubt(): void
}

/** How often a message goes out even if it is empty; milliseconds, like all below. */
export const BEAT_EVERY = 500
/** When an own message has not come back by then, or nothing came from another server, something is wrong. */
const ECHO_WITHIN = 1000
const HEARD_WITHIN = 2500
/** Doubt outlives its reason, so that what is lost now and then is looked after all the time. */
const DOUBT_LASTS = 10_000
/** A server that is silent for so long is gone. */
const FORGET_AFTER = 60_000

/** Random ids are 22 characters; a number takes 8 bytes. */
const NODE_BYTES = 22
const HEAD_BYTES = NODE_BYTES + 8

/** What one message carries, and how many notices may wait for Redis; beyond it they are lost, and everybody notices. */
const MOST_IN_ONE = 256
const MOST_WAITING = 10_000

interface Peer {
  readonly last: number
  readonly heardAt: number
}

export class RedisBus implements Bus {
  readonly #deps: RedisBusDeps
  readonly #local: Bus
  readonly #channel: string
  readonly #seen = new Seen()
  readonly #peers = new Map<string, Peer>()
  #waiting: Rung[] = []
  /** The newest head of each conversation: older ones say nothing beside it. */
  readonly #heads = new Map<string, NoticeOf<'log'>>()
  #sending: Promise<void> | undefined
  /** Number of the last own message. */
  #sent = 0
  /** The oldest own beat that has not come back. */
  #awaited: { readonly number: number; readonly at: number } | undefined
  #doubtUntil = 0
  #wasUp = false
  #timer: NodeJS.Timeout | undefined

  constructor(deps: RedisBusDeps) {
    this.#deps = deps
    this.#local = createInProcessBus((error) => deps.onFault(error))
    this.#channel = `${deps.link.prefix}bell.1`
    deps.link.listen(this.#channel, (message) => this.#received(message))
  }

  /** Begins to send its beat. */
  start(): void {
    this.#timer = setInterval(() => this.beat(this.#deps.clock.now()), BEAT_EVERY).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  ring(notice: Notice, writtenAs?: string): void {
    this.#hear({ notice, id: writtenAs })
    if (!this.#deps.link.isUp) return this.#lose()
    if (notice.kind === 'log') this.#heads.set(notice.conversation, this.#newer(notice))
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ notice, id: writtenAs })
    else this.#lose()
    this.#send()
  }

  /** Resolves when Redis has taken what was rung so far, or did not. */
  async sent(): Promise<void> {
    while (this.#sending) await this.#sending
  }

  listen<K extends NoticeKind>(kind: K, listener: (notice: NoticeOf<K>) => void): () => void {
    return this.#local.listen(kind, listener)
  }

  /** Notices as they stand in the database. Those that came by a doorbell are not heard again. */
  hearWritten(rung: readonly Rung[]): void {
    for (const one of rung) this.#hear(one)
  }

  /** Doorbells of others may not have come; `now` in milliseconds. */
  isDoubtful(now: number): boolean {
    return now < this.#doubtUntil
  }

  /** Others do not hear this server; `now` in milliseconds. */
  isUnheard(now: number): boolean {
    return !this.#deps.link.isUp || this.#isOverdue(now)
  }

  /** Looks whether doorbells get through, and sends one that says nothing. `now` in milliseconds. */
  beat(now: number): void {
    const { isUp } = this.#deps.link
    if (!isUp || !this.#wasUp || this.#isOverdue(now) || this.#someoneIsSilent(now)) this.#doubt(now)
    this.#wasUp = isUp
    if (!isUp) return
    this.#awaited ??= { number: this.#sent + 1, at: now }
    void this.#publish([])
  }

  #isOverdue(now: number): boolean {
    return this.#awaited !== undefined && now - this.#awaited.at >= ECHO_WITHIN
  }

  #someoneIsSilent(now: number): boolean {
    let silent = false
    for (const [node, { heardAt }] of this.#peers) {
      if (now - heardAt >= FORGET_AFTER) this.#peers.delete(node)
      else if (now - heardAt >= HEARD_WITHIN) silent = true
    }
    return silent
  }

  #doubt(now: number): void {
    this.#doubtUntil = now + DOUBT_LASTS
    this.#deps.onDoubt()
  }

  /** Others see by the missing number that something was lost. */
  #lose(): void {
    this.#sent += 1
  }

  #hear({ notice, id }: Rung): void {
    if (id !== undefined && !this.#seen.isNew(id)) return
    if (notice.kind === 'unheard') this.#doubt(this.#deps.clock.now())
    else this.#local.ring(notice)
  }

  #newer(notice: NoticeOf<'log'>): NoticeOf<'log'> {
    const known = this.#heads.get(notice.conversation)
    return known && known.head > notice.head ? known : notice
  }

  /** One message at a time: what is rung while Redis takes it goes with the next. */
  #send(): void {
    this.#sending ??= this.#sendAll()
  }

  /** What is rung in this turn of the event loop goes together. */
  async #sendAll(): Promise<void> {
    await nextTurn()
    for (let rung = this.#take(); rung.length > 0; rung = this.#take()) await this.#publish(rung)
    this.#sending = undefined
  }

  #take(): Rung[] {
    const rung = this.#waiting.splice(0, MOST_IN_ONE)
    for (const [conversation, notice] of this.#heads) {
      if (rung.length >= MOST_IN_ONE) break
      this.#heads.delete(conversation)
      rung.push({ notice, id: undefined })
    }
    return rung
  }

  /** Whether it arrives anywhere is for the listeners to notice, this one among them. */
  async #publish(rung: readonly Rung[]): Promise<void> {
    this.#sent += 1
    const message = writeMessage(this.#deps.node, this.#sent, rung)
    await this.#deps.link.ask((redis) => redis.publish(this.#channel, message)).catch(() => undefined)
  }

  #received(bytes: Uint8Array): void {
    const head = readHead(bytes)
    if (!head) return
    const { node, number } = head
    if (node === this.#deps.node) return this.#echo(number)
    const now = this.#deps.clock.now()
    const last = this.#peers.get(node)?.last
    this.#peers.set(node, { last: Math.max(number, last ?? 0), heardAt: now })
    // A server that was not known before may have rung before it was heard.
    if (last === undefined || number > last + 1) this.#doubt(now)
    this.hearWritten(readNotices(bytes.subarray(HEAD_BYTES)))
  }

  #echo(number: number): void {
    if (this.#awaited && number >= this.#awaited.number) this.#awaited = undefined
  }
}

/** Who sent it and its number come first, so that a server need not read what it sent itself. */
function writeMessage(node: string, number: number, rung: readonly Rung[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(node, 'latin1')
  head.writeDoubleBE(number, NODE_BYTES)
  return Buffer.concat([head, encodeCbor(rung.map(({ notice, id }) => [id ?? null, encodeNotice(notice)]))])
}

function readHead(bytes: Uint8Array): { node: string; number: number } | undefined {
  if (bytes.length <= HEAD_BYTES) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, HEAD_BYTES)
  const number = buffer.readDoubleBE(NODE_BYTES)
  return Number.isSafeInteger(number) ? { node: buffer.toString('latin1', 0, NODE_BYTES), number } : undefined
}

/** None of what is not ours, or of a version to come. */
function readNotices(bytes: Uint8Array): Rung[] {
  try {
    const notices = decodeCbor(bytes)
    return Array.isArray(notices) ? notices.flatMap(readRung) : []
  } catch {
    return []
  }
}

function readRung(value: CborValue): Rung[] {
  if (!Array.isArray(value)) return []
  const [id, said]: readonly CborValue[] = value
  const notice = decodeNotice(said)
  return notice ? [{ notice, id: typeof id === 'string' ? id : undefined }] : []
}

/** Ids of the last minutes: written notices come by a doorbell and from the database, in either order. */
class Seen {
  #young = new Set<string>()
  #old = new Set<string>()

  isNew(id: string): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false
    this.#young.add(id)
    if (this.#young.size > 50_000) {
      this.#old = this.#young
      this.#young = new Set()
    }
    return true
  }
}
