/**
 * The front door of linking: carries what a new device and one that is signed in say to each other, and lets the new one in
 * when the other has approved. The server can read none of it; what it could do in between is caught by the six digits that
 * both devices show. Each step happens once: a repeat with the same content is answered as before, another one is refused.
 */
import { equalBytes, LINK_ALPHABET, LINK_CODE_LENGTH, LinkCode, Refusal, toBase64Url } from '@tacit/contract'
import type { AccountId, LinkForNew, LinkForOld, SessionId, SessionTokens } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Given } from '../gateway/caller.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { hashToken } from '../sessions/tokens.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import type { LinkState } from './linking.tables.ts'
import * as store from './linking.store.ts'

export interface LinksDeps {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly sessions: Pick<Sessions, 'open' | 'mustBeProved'>
  readonly events: Pick<SecurityEvents, 'note'>
  readonly log: Log
  /** In its owner's spelling. */
  readonly handleOf: (account: AccountId) => Promise<string | undefined>
}

/** The device that claimed a code. */
export interface Claimant {
  readonly code: LinkCode
  readonly account: AccountId
  readonly session: SessionId
}

const SECOND = 1000
/** How long a code is good that nobody has claimed. */
const SHOWN = 90 * SECOND
/** How long the two devices have from then on; as long as a proof counts. */
const CLAIMED = 120 * SECOND
/** For so long after its end a link still says how it ended. */
const REMEMBERED = 10 * 60 * SECOND
/** Codes at most; beyond it newcomers wait, because guessing one of many is easier. */
const MAX_LINKS = 10_000

export class Links {
  readonly #deps: LinksDeps

  constructor(deps: LinksDeps) {
    this.#deps = deps
  }

  async begin(commitment: Uint8Array): Promise<{ code: LinkCode; ticket: string; expiresIn: number }> {
    const { database, clock, random } = this.#deps
    const code = codeFrom(random.bytes(LINK_CODE_LENGTH))
    const ticket = toBase64Url(random.bytes(32))
    const empty = { account: null, session: null, offer_key: null, reveal_key: null, reveal_nonce: null, sealed: null }
    const row = { code, ticket_hash: hashToken(ticket), commitment, state: 'shown', expires_at: clock.now() + SHOWN, ...empty } as const
    await database.write(async (tx) => {
      if ((await store.countLinks(tx)) >= MAX_LINKS) throw new Refusal('unavailable', { retryAfter: 60 })
      await store.addLink(tx, row)
    })
    return { code, ticket, expiresIn: SHOWN / SECOND }
  }

  async look(ticket: string): Promise<Given<LinkForNew>> {
    const { database, handleOf } = this.#deps
    const row = this.#alive(await store.findByTicket(database.kysely, hashToken(ticket)))
    if (row.state === 'approved' && row.sealed) return { kind: 'approved', sealed: row.sealed }
    if (row.state === 'revealed') return { kind: 'revealed' }
    if (row.state !== 'offered' || !row.account || !row.offer_key) return { kind: 'waiting' }
    return { kind: 'offered', account: row.account, handle: (await handleOf(row.account)) ?? '', key: row.offer_key }
  }

  async reveal({ ticket, key, nonce }: { ticket: string; key: Uint8Array; nonce: Uint8Array }): Promise<void> {
    await this.#asNew(ticket, async (tx, row) => {
      if (row.state === 'revealed' && same(row.reveal_key, key) && same(row.reveal_nonce, nonce)) return
      mustBe(row, 'offered')
      await store.changeLink(tx, row.code, { state: 'revealed', reveal_key: key, reveal_nonce: nonce })
    })
  }

  /** The session, once. */
  async take(ticket: string): Promise<SessionTokens> {
    const { sessions, events, log } = this.#deps
    const tokens = await this.#asNew(ticket, async (tx, row) => {
      mustBe(row, 'approved')
      if (!row.account) throw new Refusal('link_used')
      await store.changeLink(tx, row.code, { state: 'taken', sealed: null })
      await events.note(tx, { account: row.account, kind: 'signed_in', method: 'link' })
      return sessions.open(tx, { account: row.account, device: null, method: 'link' })
    })
    log('device_linked')
    return tokens
  }

  async giveUp(ticket: string): Promise<void> {
    await this.#asNew(ticket, (tx, row) => cancel(tx, row.code))
  }

  /** What the new device is bound to. Again, it is the same claim; by anybody else it is refused. */
  async claim({ code, account, session }: Claimant): Promise<{ commitment: Uint8Array; expiresIn: number }> {
    const { database, clock } = this.#deps
    return database.write(async (tx) => {
      const row = this.#alive(await store.lockByCode(tx, code))
      if (row.state !== 'shown' && row.session !== session) throw new Refusal('link_used')
      const until = row.state === 'shown' ? clock.now() + CLAIMED : row.expires_at
      if (row.state === 'shown') await store.changeLink(tx, code, { state: 'claimed', account, session, expires_at: until })
      return { commitment: row.commitment, expiresIn: Math.floor((until - clock.now()) / SECOND) }
    })
  }

  async offer(claimant: Claimant, key: Uint8Array): Promise<void> {
    await this.#asOld(claimant, async (tx, row) => {
      if (row.state === 'offered' && same(row.offer_key, key)) return
      mustBe(row, 'claimed')
      await store.changeLink(tx, row.code, { state: 'offered', offer_key: key })
    })
  }

  async show(claimant: Claimant): Promise<Given<LinkForOld>> {
    const found = await store.findByCode(this.#deps.database.kysely, claimant.code)
    if (found?.state === 'taken' && found.session === claimant.session) return { kind: 'taken' }
    const row = claimedBy(this.#alive(found), claimant)
    if (row.state === 'approved') return { kind: 'approved' }
    if (row.state !== 'revealed' || !row.reveal_key || !row.reveal_nonce) return { kind: 'waiting' }
    return { kind: 'revealed', key: row.reveal_key, nonce: row.reveal_nonce }
  }

  /** Refuses `proof_needed` unless the session has proved within two minutes who is there. */
  async approve(claimant: Claimant, sealed: Uint8Array): Promise<void> {
    await this.#asOld(claimant, async (tx, row) => {
      if (row.state === 'approved' && same(row.sealed, sealed)) return
      mustBe(row, 'revealed')
      await this.#deps.sessions.mustBeProved(tx, claimant.session)
      await store.changeLink(tx, row.code, { state: 'approved', sealed })
    })
  }

  async cancel(claimant: Claimant): Promise<void> {
    await this.#asOld(claimant, (tx, row) => cancel(tx, row.code))
  }

  /** Forgets links that ended a while ago. */
  async sweep(): Promise<void> {
    const { database, clock } = this.#deps
    await database.write((tx) => store.dropLinksBefore(tx, clock.now() - REMEMBERED))
  }

  #asNew<T>(ticket: string, work: (tx: Transaction<Tables>, row: store.LinkRow) => Promise<T>): Promise<T> {
    return this.#deps.database.write(async (tx) => work(tx, this.#alive(await store.lockByTicket(tx, hashToken(ticket)))))
  }

  #asOld<T>(claimant: Claimant, work: (tx: Transaction<Tables>, row: store.LinkRow) => Promise<T>): Promise<T> {
    return this.#deps.database.write(async (tx) => work(tx, claimedBy(this.#alive(await store.lockByCode(tx, claimant.code)), claimant)))
  }

  /** Refuses one that is not there, or over, by the way in which it ended. */
  #alive(row: store.LinkRow | undefined): store.LinkRow {
    if (!row) throw new Refusal('not_found')
    if (row.state === 'taken') throw new Refusal('link_used')
    if (row.state === 'cancelled') throw new Refusal('link_cancelled')
    if (row.expires_at <= this.#deps.clock.now()) throw new Refusal('expired')
    return row
  }
}

/** One character for each byte: 256 is a multiple of 32, so all are equally likely. */
const codeFrom = (bytes: Uint8Array): LinkCode => LinkCode.parse([...bytes].map((byte) => LINK_ALPHABET.charAt(byte % 32)).join(''))

const cancel = async (tx: Transaction<Tables>, code: LinkCode): Promise<void> =>
  void (await store.changeLink(tx, code, { state: 'cancelled', sealed: null }))

function claimedBy(row: store.LinkRow, { session }: Claimant): store.LinkRow {
  if (row.session !== session) throw new Refusal(row.session === null ? 'not_found' : 'link_used')
  return row
}

function mustBe({ state }: store.LinkRow, wanted: LinkState): void {
  if (state !== wanted) throw new Refusal('link_used')
}

const same = (kept: Uint8Array | null, given: Uint8Array): boolean => kept !== null && equalBytes(kept, given)
