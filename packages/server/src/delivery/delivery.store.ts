/**
 * What the hot path asks of the delivery room's tables: appending, storing cursors, and the reads that follow a doorbell.
 * Each database has an implementation of its own, with prepared statements and shared commits; one suite proves both. What
 * is not hot, or goes with other rooms' writes in one transaction, is in ledger.store.ts.
 */
import type { AccountId, ConversationId, DeviceId, EntryKind } from '@tacit/contract'

export type Bytes = Uint8Array<ArrayBuffer>

export interface NewEntry {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly kind: EntryKind
  readonly sender: DeviceId
  readonly clientSeq: number
  readonly time: number
  readonly hash: Bytes
  readonly bytes: Uint8Array
}

export interface StoredEntry {
  readonly seq: number
  readonly epoch: number
  readonly kind: EntryKind
  readonly sender: DeviceId
  readonly clientSeq: number
  readonly time: number
  readonly bytes: Bytes
}

/** A device's place in a conversation, with the state of its log. `toSeq` is null while it is a member. */
export interface Place {
  readonly conversation: ConversationId
  readonly account: AccountId
  readonly fromSeq: number
  readonly toSeq: number | null
  readonly cursor: number
  readonly clientSeq: number
  readonly epoch: number
  readonly head: number
}

export interface Member {
  readonly account: AccountId
  readonly device: DeviceId
}

/** Where an entry stands in its log; `duplicate`: it stood there already, and this is the answer of then. */
export interface Appended {
  readonly seq: number
  readonly hash: Bytes
  readonly duplicate: boolean
}

/**
 * A repeat is looked for among so many entries of the log that end with its sender's newest one. That one is found for ever; a device
 * with more than one on its way reads the log for what is further back.
 */
export const REPEATS_WITHIN = 1024

/** Somebody in a conversation. */
export interface Pair {
  readonly conversation: ConversationId
  readonly device: DeviceId
}

export interface CursorAt extends Pair {
  readonly seq: number
}

/** What a pair may read, and how far the log reaches; all of one moment. */
export type Position = Pick<Place, 'fromSeq' | 'toSeq' | 'epoch' | 'head'>

/** Entries with `after` < seq <= `end`; at most `limit`, and none that begins after `bytes` of them. */
export interface Range {
  readonly conversation: ConversationId
  readonly after: number
  readonly end: number
  readonly limit: number
  readonly bytes: number
}

export interface DeliveryStore {
  /**
   * Appends at head + 1 by the rule of append-rule.ts, or answers a repeat as before; on stable storage when it resolves.
   * Refuses `not_found`, `stale_epoch`, `out_of_order`, and `unavailable` when too many wait (L-27).
   */
  append(entry: NewEntry): Promise<Appended>
  /** Moves the cursors that `take` gives when it is time to write; forward only, and never past what the device may read. */
  storeCursors(take: () => readonly CursorAt[]): Promise<void>
  /** Resolves when everything handed in so far is on stable storage or refused. */
  settled(): Promise<void>
  /** In the order asked; undefined for a device that never was a member. */
  positions(pairs: readonly Pair[]): Promise<(Position | undefined)[]>
  /**
   * In the order asked, without the entries that retention removed. What would be begun after `atMost` bytes is left out at the
   * end: at least one range is read as far as its first entry, the last may end early, and whoever asked has to ask again.
   */
  ranges(ranges: readonly Range[], atMost?: number): Promise<StoredEntry[][]>
}

export interface DeliveryStoreHears {
  /** So many pieces of work shared one commit. */
  onBatch(size: number): void
  /** A device said that it has less than it said before. */
  onCursorBack(): void
}

/** The last entry that a device may read. */
export const readableEnd = ({ toSeq, head }: Pick<Place, 'toSeq' | 'head'>): number => toSeq ?? head
