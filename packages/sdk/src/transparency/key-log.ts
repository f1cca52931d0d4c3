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
  type LogState,
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

/** Of the heads verified before, so many are compared with a log that went back. */
const MOST_COMPARED = 64

/** For so long after the log went back a head of before it needs no other explanation, milliseconds. */
const EXPLAINED = 7 * 86_400_000

/** The clocks of server and device may differ by so much, milliseconds. */
const CLOCKS_APART = 300_000

export class KeyLog {
  readonly #parts: KeyLogParts
  readonly #turns = new OneAtATime()

  constructor(parts: KeyLogParts) {
    this.#parts = parts
  }

  /** The proof that the log holds exactly this list for the account now. Rejects with `Unreachable` when the server proves nothing. */
  confirm({ account, version, hash }: PresentedList): Promise<Uint8Array | undefined> {
    return this.#turns.run(async () => {
      const label = labelOf(account)
      const placed = { label, version, list: hash }
      const known = await store.knownHead(this.#parts.store)
      const bytes = await this.#proofOf(label, known?.size ?? 0)
      if (!bytes) return undefined
      const proof = readProof(bytes)
      if (!proof) throw new Unreachable('no proof')
      const verdict = await judgeProof({ proof, placed, known })
      if (verdict.kind === 'unproved') throw new Unreachable('a proof that proves nothing')
      const { head } = verdict
      if (verdict.kind === 'rewritten' || verdict.kind === 'other_log') {
        if (known) await this.#take({ head, bytes: proof.head }, known)
        return (await judgeProof({ proof, placed, known: undefined })).kind === 'proved' ? bytes : undefined
      }
      if (!known || head.size > known.size) await this.#adopt(head, proof.head)
      return verdict.kind === 'proved' ? bytes : undefined
    })
  }

  /** Whether the log was once found to have gone back: then older lists than the known ones are in it. */
  async hasGoneBack(): Promise<boolean> {
    return (await store.wentBackAt(this.#parts.store)) !== undefined
  }

  /**
   * A head that does not continue the known one. What the server did is told and kept. Going on with its new log is better than to
   * stand still for ever.
   */
  async #take({ head, bytes }: { readonly head: LogHead; readonly bytes: Uint8Array }, known: KnownHead): Promise<void> {
    const common = equalBytes(head.key, known.key) ? await this.#lastCommon(head) : undefined
    const everybody = { account: undefined, conversation: undefined }
    if (common === undefined) await this.#convict({ kind: 'rewritten', ...everybody }, known, bytes)
    else {
      const back = { size: common.size, time: this.#parts.clock.now() }
      await this.#parts.store.transaction((writer) => store.noteWentBack(writer, back))
      await this.#convict({ kind: 'went_back', ...everybody }, known, bytes)
    }
    await this.#adopt(head, bytes)
  }

  /** The newest of the heads verified before with which the server's log begins: a log that was cut off there is a restored one. */
  async #lastCommon(head: LogHead): Promise<LogState | undefined> {
    const past = await store.pastHeads(this.#parts.store, head.size)
    for (const earlier of past.slice(0, MOST_COMPARED)) if (await this.#continues(earlier, head)) return earlier
    return undefined
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
    const isForeign = !equalBytes(head.key, known.key)
    if (isForeign || !(await this.#standTogether(head, known))) {
      if (!isForeign && (await this.#isOfBefore(head))) return
      return this.#convict({ kind: 'split', account, conversation }, (await store.knownHead(this.#parts.store)) ?? known, heard.head)
    }
    if (head.size > known.size) await this.#adopt(head, heard.head)
  }

  /**
   * Whether a head that cannot stand beside ours is explained by the log having gone back, which is told by itself: the one who sent
   * it has seen what the server has lost since, or has seen already what is there now.
   */
  async #isOfBefore(theirs: LogHead): Promise<boolean> {
    await this.#look()
    const at = await store.wentBackAt(this.#parts.store)
    const now = await store.knownHead(this.#parts.store)
    if (at === undefined || !now) return false
    if (await this.#standTogether(theirs, now)) return true
    return theirs.time <= at + CLOCKS_APART && this.#parts.clock.now() - at < EXPLAINED
  }

  /** The server's head as it is now, if it does not continue ours. */
  async #look(): Promise<void> {
    const { head: bytes } = await this.#parts.session.call(routes.transparency.head, {})
    const known = await store.knownHead(this.#parts.store)
    const head = await readHead(bytes)
    if (head && known && !(equalBytes(head.key, known.key) && (await this.#standTogether(head, known))))
      await this.#take({ head, bytes }, known)
  }

  /** Whether one of two heads of a key continues the other. */
  #standTogether(one: LogHead, other: KnownHead): Promise<boolean> {
    return one.size < other.size ? this.#continues(one, other) : this.#continues(other, one)
  }

  async #continues(earlier: LogState, later: LogState): Promise<boolean> {
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
