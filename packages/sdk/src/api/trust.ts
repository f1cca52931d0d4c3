/** What a person can check: whom they talk to, what happened to the account, what the server holds. */
import type { AccountId, ConversationId, DeviceId, SecurityEventKind } from '@tacit/contract'
import type { Person } from './standing.ts'

/** What two people compare by another way, to know that nobody stands between them. */
export interface SafetyNumber {
  readonly person: Person
  /** Twelve groups of five digits, the same on both sides. */
  readonly digits: readonly string[]
  /** What the other person's device compares, as text or as a QR code. */
  readonly code: string
  readonly compared: boolean
}

/**
 * What convicts the server of showing different keys to different people: two signed heads of its log of device lists that
 * cannot both be true (`rewritten`, `split`), or the head of a log that does not hold the list it presented (`not_logged`).
 * `went_back`: its log is an earlier one again, as after the restoring of a backup.
 */
export interface KeyLogEvidence {
  readonly kind: 'rewritten' | 'split' | 'not_logged' | 'went_back'
  /** Whose message brought the other head, or whose list it is about. */
  readonly account?: AccountId
  readonly conversation?: ConversationId
  /** Signed heads as bytes; anybody can verify them. */
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
  readonly time: number
}

/** Something that happened to the account, as the server noted it. */
export interface SecurityEventInfo {
  /** Of the newest kind first; `securityEvents({ before })` asks for older ones. */
  readonly position: number
  readonly kind: SecurityEventKind
  /** The way of signing in. */
  readonly method?: string
  readonly device?: DeviceId
  /** How often within the hour. */
  readonly times: number
  readonly time: number
}

/** A table of the server that holds something on me or on conversations I am in. */
export interface HeldTable {
  readonly table: string
  readonly rows: number
  /** What each column is, and how long it is kept, in English. */
  readonly columns: readonly { readonly column: string; readonly what: string; readonly kept: string }[]
}
