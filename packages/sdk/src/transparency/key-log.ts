/**
 * This device's eye on the server's log of device lists: every list it is given must be the one in the log, the log may only
 * grow, and heads that come in other people's messages must lie on the same log. So a server that shows different keys to
 * different people is caught by the next message that passes between them.
 */
import {
  equalBytes,
  isConsistent,
  judgeProof,
  labelOf,
  readHead,
  readProof,
  Refusal,
  routes,
  toBase64Url,
  type AccountId,
  type ConversationId,
  type LogHead,
} from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import type { Clock } from '../surroundings.ts'
import { Unreachable } from '../trouble.ts'
import * as store from './key-log.store.ts'
import type { Evidence, HeardHead, KnownHead } from './key-log.store.ts'

export interface KeyLogParts {
  readonly store: StoreDriver
  readonly session: Pick<Session, 'call'>
  readonly clock: Pick<Clock, 'now'>
  /** Tells people what the server did; where `conversation` is missing it concerns all of them. */
  readonly alarm: (alarm: Pick<Evidence, 'kind' | 'conversation' | 'account'>) => Promise<void>
}

/** A device list as the server presented it. */
export interface PresentedList {
  readonly account: AccountId
  readonly version: number
  /** SHA-256. */
  readonly hash: Uint8Array
}

export class KeyLog {
  readonly #parts: KeyLogParts
  readonly #turns = new OneAtATime()

  constructor(parts: KeyLogParts) {
    this.#parts = parts
  }

  /** Whether the log holds exactly this list for the account now. Rejects with `Unreachable` when the server proves nothing. */
  confirm({ account, version, hash }: PresentedList): Promise<boolean> {
    return this.#turns.run(async () => {
      const label = labelOf(account)
      const placed = { label, version, list: hash }
      const known = await store.knownHead(this.#parts.store)
      const bytes = await this.#proofOf(label, known?.size ?? 0)
      if (!bytes) return false
      const proof = readProof(bytes)
      if (!proof) throw new Unreachable('no proof')
      const verdict = await judgeProof({ proof, placed, known })
      if (verdict.kind === 'unproved') throw new Unreachable('a proof that proves nothing')
      const { head } = verdict
      if (verdict.kind === 'rewritten' || verdict.kind === 'other_log') {
        if (known) await this.#convict({ kind: 'rewritten', account: undefined, conversation: undefined }, known, proof.head)
        await this.#adopt(head, proof.head)
        // What the server did is told and kept. Going on with its new log is better than to stand still for ever.
        return (await judgeProof({ proof, placed, known: undefined })).kind === 'proved'
      }
      if (!known || head.size > known.size) await this.#adopt(head, proof.head)
      return verdict.kind === 'proved'
    })
  }

  /** A list that somebody was given twice and that is not in the log. */
  async notLogged(account: AccountId): Promise<void> {
    const known = await store.knownHead(this.#parts.store)
    if (known) await this.#convict({ kind: 'not_logged', account, conversation: undefined }, known, known.bytes)
  }

  /** Compares the heads that came in messages with ours. Rejects with what kept it from going on; the rest waits. */
  judgeHeard(): Promise<void> {
    return this.#turns.run(async () => {
      for (;;) {
        const known = await store.knownHead(this.#parts.store)
        const heard = known && (await store.nextHeard(this.#parts.store))
        if (!heard) return
        await this.#judge(heard, known)
        await this.#parts.store.transaction((writer) => store.eraseHeard(writer, heard.position))
      }
    })
  }

  async #judge(heard: HeardHead, known: KnownHead): Promise<void> {
    const head = await readHead(heard.head)
    // Not a head: its sender's doing, and no evidence.
    if (!head) return
    const { account, conversation } = heard
    if (!equalBytes(head.key, known.key) || !(await this.#standTogether(head, known)))
      return this.#convict({ kind: 'split', account, conversation }, known, heard.head)
    if (head.size > known.size) await this.#adopt(head, heard.head)
  }

  /** Whether one of two heads of a key continues the other. */
  async #standTogether(one: LogHead, other: KnownHead): Promise<boolean> {
    const [earlier, later] = one.size < other.size ? [one, other] : [other, one]
    if (earlier.size === later.size) return equalBytes(earlier.root, later.root)
    try {
      const query = { earlier: earlier.size, later: later.size }
      const { path } = await this.#parts.session.call(routes.transparency.consistency, { query })
      return isConsistent({ earlier, later, path })
    } catch (error) {
      // The server signed a head and now says that its log never was that long.
      if (error instanceof Refusal && error.failure === 'not_found') return false
      throw error
    }
  }

  async #proofOf(label: Uint8Array, after: number): Promise<Uint8Array | undefined> {
    try {
      return (await this.#parts.session.call(routes.transparency.prove, { params: { label: toBase64Url(label) }, query: { after } })).proof
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'not_found') return undefined
      throw error
    }
  }

  #adopt({ key, size, root }: LogHead, bytes: Uint8Array): Promise<void> {
    return this.#parts.store.transaction((writer) => store.saveHead(writer, { key, size, root, bytes }))
  }

  async #convict(
    what: { kind: Evidence['kind']; account: AccountId | undefined; conversation: ConversationId | undefined },
    known: KnownHead,
    theirs: Uint8Array,
  ): Promise<void> {
    const evidence = { ...what, ours: known.bytes, theirs, time: this.#parts.clock.now() }
    const isNews = await this.#parts.store.transaction((writer) => store.addEvidence(writer, evidence))
    if (isNews) await this.#parts.alarm(what)
  }
}
