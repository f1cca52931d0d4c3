/**
 * The front door of sessions: who holds an access token, renewing it, ending it. A session is a family of tokens: each
 * refresh token is exchanged once, and one that comes back later ends the whole family, because two parties hold it.
 */
import {
  equalBytes,
  limits,
  Refusal,
  SessionId,
  type AccountId,
  type DeviceId,
  type SessionTokens,
  type SignInMethod,
} from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Secrets } from '../secrets.ts'
import type { SecurityEvents } from '../security-events/security-events.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './sessions.store.ts'
import { freshPair, hashToken, successorOf, type TokenPair } from './tokens.ts'

export interface Identity {
  readonly account: AccountId
  readonly session: SessionId
  /** Null until the session has enrolled a device. */
  readonly device: DeviceId | null
  /** When the access token ends, ms. */
  readonly expiresAt: number
}

export interface SessionSummary {
  readonly session: SessionId
  readonly device: DeviceId | null
  readonly method: SignInMethod
  readonly createdAt: number
  readonly lastUsedAt: number
}

export interface SessionsDeps {
  readonly bells: Bells
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly secrets: Secrets
  readonly events: Pick<SecurityEvents, 'note'>
  readonly log: Log
}

const SECOND = 1000
const DAY = 86_400 * SECOND
const ACCESS_LIFE = 15 * 60 * SECOND
const REFRESH_LIFE = 30 * DAY
/** However often it is renewed, a session ends after this (L-22). */
const LONGEST_LIFE = 180 * DAY
/** How long a proof of who is there counts. */
const PROOF_LIFE = 120 * SECOND
/** How long a client that lost the answer may ask again with the same refresh token. */
const GRACE = 10 * SECOND

export class Sessions {
  readonly #deps: SessionsDeps

  constructor(deps: SessionsDeps) {
    this.#deps = deps
  }

  /** Opens one in the caller's transaction; the account's least recently used one ends when there are too many. */
  async open(
    tx: Transaction<Tables>,
    { account, device, method }: { account: AccountId; device: DeviceId | null; method: SignInMethod },
  ): Promise<SessionTokens> {
    const { clock, random } = this.#deps
    const now = clock.now()
    const pair = freshPair(random)
    // Whoever comes in by password or passkey has just proved it; a linked device has proved nothing.
    const times = { created_at: now, last_used_at: now, proved_at: method === 'link' ? null : now }
    const row = {
      id: SessionId.parse(random.id()),
      account,
      device,
      method,
      used: 0,
      ...times,
      ...hashed(pair, { now, createdAt: now }),
    } as const
    await store.addSession(tx, row)
    const surplus = (await store.sessionsOf(tx, account)).filter((other) => other.id !== row.id).slice(limits.sessionsPerAccount - 1)
    for (const { id } of surplus) await store.endSession(tx, { account, session: id })
    return asTokens(row, pair, now)
  }

  /** Undefined for a token that is unknown or has ended. */
  async authenticate(accessToken: string): Promise<Identity | undefined> {
    const { database, clock } = this.#deps
    const row = await store.findByAccess(database.kysely, hashToken(accessToken))
    if (!row || row.access_expires_at <= clock.now()) return undefined
    if (row.used === 0) await database.write((tx) => store.markUsed(tx, { accessHash: row.access_hash, at: clock.now() }))
    return { account: row.account, session: row.id, device: row.device, expiresAt: row.access_expires_at }
  }

  /** Refuses `session_ended`. */
  async renew(refreshToken: string): Promise<SessionTokens> {
    const { bells, clock, secrets, events, log } = this.#deps
    const outcome = await bells.write(async (tx, say) => {
      const exchanged = await exchange(tx, { refreshToken, now: clock.now(), secrets })
      if (exchanged.kind === 'stolen') {
        say({ kind: 'session_ended', session: exchanged.session })
        await events.note(tx, { account: exchanged.account, kind: 'session_stolen', ...whichDevice(exchanged.device) })
      }
      return exchanged
    })
    if (outcome.kind === 'tokens') return outcome.tokens
    if (outcome.kind === 'stolen') log('session_family_ended')
    throw new Refusal('session_ended')
  }

  /** Most recently used first. */
  async list(account: AccountId): Promise<SessionSummary[]> {
    const rows = await store.sessionsOf(this.#deps.database.kysely, account)
    return rows.map((row) => ({
      session: row.id,
      device: row.device,
      method: row.method,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
    }))
  }

  /** By itself (`signed_out`) or from another session. False if the account has no such session. */
  async end({ kind, ...owned }: { account: AccountId; session: SessionId; kind: 'signed_out' | 'session_ended' }): Promise<boolean> {
    const { bells, events } = this.#deps
    return bells.write(async (tx, say) => {
      const ended = await store.endSession(tx, owned)
      for (const { id, device } of ended) {
        say({ kind: 'session_ended', session: id })
        await events.note(tx, { account: owned.account, kind, ...whichDevice(device) })
      }
      return ended.length > 0
    })
  }

  /** Somebody proved with this session who they are. Seconds for which it counts. */
  async prove(session: SessionId): Promise<number> {
    const { database, clock } = this.#deps
    await database.write((tx) => store.markProved(tx, { session, at: clock.now() }))
    return PROOF_LIFE / SECOND
  }

  /** Seconds for which the session's last proof still counts; 0 when there is none. */
  async provedFor(session: SessionId, reader: Kysely<Tables> = this.#deps.database.kysely): Promise<number> {
    const at = await store.provedAt(reader, session)
    return at === undefined ? 0 : Math.max(0, Math.floor((at + PROOF_LIFE - this.#deps.clock.now()) / SECOND))
  }

  /** Refuses `proof_needed`. */
  async mustBeProved(tx: Transaction<Tables>, session: SessionId): Promise<void> {
    if ((await this.provedFor(session, tx)) === 0) throw new Refusal('proof_needed')
  }

  /** Those of the devices that used a session since then. */
  usedSince(tx: Transaction<Tables>, devices: readonly DeviceId[], since: number): Promise<DeviceId[]> {
    return devices.length === 0 ? Promise.resolve([]) : store.devicesUsedSince(tx, devices, since)
  }

  async bindDevice(tx: Transaction<Tables>, bound: { session: SessionId; device: DeviceId }): Promise<void> {
    await store.bind(tx, bound)
  }

  /** In the caller's transaction, which says that they ended. */
  async endOfDevices(tx: Transaction<Tables>, devices: readonly DeviceId[]): Promise<SessionId[]> {
    if (devices.length === 0) return []
    return (await store.endSessionsOfDevices(tx, devices)).map(({ id }) => id)
  }

  /** Forgets sessions whose refresh token ended, and exchanged tokens that would have ended by now anyway. */
  async sweep(): Promise<void> {
    const now = this.#deps.clock.now()
    await this.#deps.database.write(async (tx) => {
      await store.dropExpired(tx, now)
      await store.dropSpentBefore(tx, now - REFRESH_LIFE)
    })
  }
}

type Exchange =
  | { readonly kind: 'tokens'; readonly tokens: SessionTokens }
  | { readonly kind: 'stolen'; readonly session: SessionId; readonly account: AccountId; readonly device: DeviceId | null }
  | { readonly kind: 'unknown' }

/** One transaction, so that of many renewals with one token exactly one exchanges it. */
async function exchange(
  tx: Transaction<Tables>,
  { refreshToken, now, secrets }: { refreshToken: string; now: number; secrets: Secrets },
): Promise<Exchange> {
  const hash = hashToken(refreshToken)
  const pair = successorOf(refreshToken, secrets)
  const current = await store.findByRefresh(tx, hash)
  if (current) {
    if (current.refresh_expires_at <= now) return { kind: 'unknown' }
    const tokens = hashed(pair, { now, createdAt: current.created_at })
    await store.rotate(tx, { session: current, tokens, at: now })
    return { kind: 'tokens', tokens: asTokens({ ...current, ...tokens }, pair, now) }
  }
  const spent = await store.findBySpent(tx, hash)
  if (!spent) return { kind: 'unknown' }
  if (mayRepeat(spent, pair, now)) return { kind: 'tokens', tokens: asTokens(spent, pair, now) }
  await store.endSession(tx, { account: spent.account, session: spent.id })
  return { kind: 'stolen', session: spent.id, account: spent.account, device: spent.device }
}

/** The pair that followed is still the newest, nobody used it, and it is young. */
const mayRepeat = (spent: store.SessionRow & { spent_at: number }, pair: TokenPair, now: number): boolean =>
  spent.used === 0 && now - spent.spent_at <= GRACE && equalBytes(spent.refresh_hash, hashToken(pair.refreshToken))

const hashed = (pair: TokenPair, { now, createdAt }: { now: number; createdAt: number }): store.NewTokens => ({
  access_hash: hashToken(pair.accessToken),
  access_expires_at: Math.min(now + ACCESS_LIFE, createdAt + LONGEST_LIFE),
  refresh_hash: hashToken(pair.refreshToken),
  refresh_expires_at: Math.min(now + REFRESH_LIFE, createdAt + LONGEST_LIFE),
})

const asTokens = (row: store.SessionRow, pair: TokenPair, now: number): SessionTokens => ({
  session: row.id,
  account: row.account,
  device: row.device,
  accessToken: pair.accessToken,
  accessExpiresIn: secondsLeft(row.access_expires_at, now),
  refreshToken: pair.refreshToken,
  refreshExpiresIn: secondsLeft(row.refresh_expires_at, now),
})

const whichDevice = (device: DeviceId | null): { device?: DeviceId } => (device === null ? {} : { device })

const secondsLeft = (until: number, now: number): number => Math.max(0, Math.floor((until - now) / SECOND))
