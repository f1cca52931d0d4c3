/**
 * Every query on the delivery room's tables: a writer that exists only inside the group commit's transaction, and a
 * reader on the reading connection, which sees what is committed. Raw prepared statements, because this is the hot path.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AccountId, ConversationId, DeviceId, EntryKind } from '@tacit/contract'
import { rowsAs } from '../storage/rows.ts'
import type { AppendState } from './append-rule.ts'

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

/** The last entry that a device may read. */
export const readableEnd = ({ toSeq, head }: Pick<Place, 'toSeq' | 'head'>): number => toSeq ?? head

export class DeliveryWriter {
  readonly #state: StatementSync
  readonly #repeat: StatementSync
  readonly #isCommit: StatementSync
  readonly #grow: StatementSync
  readonly #count: StatementSync
  readonly #insert: StatementSync
  readonly #begin: StatementSync
  readonly #turn: StatementSync
  readonly #join: StatementSync
  readonly #leave: StatementSync
  readonly #isMember: StatementSync
  readonly #isCreator: StatementSync
  readonly #hasMember: StatementSync
  readonly #memberCount: StatementSync
  readonly #advance: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#state = sqlite.prepare(
      `SELECT log.epoch, log.head, membership.client_seq AS clientSeq, membership.to_seq AS toSeq
       FROM log LEFT JOIN membership ON membership.conversation = log.conversation AND membership.device = ?2
       WHERE log.conversation = ?1`,
    )
    this.#repeat = sqlite.prepare('SELECT seq, epoch, hash FROM entry WHERE conversation = ? AND sender = ? AND client_seq = ?')
    this.#isCommit = sqlite.prepare("SELECT 1 FROM entry WHERE conversation = ? AND seq = ? AND kind = 'commit'")
    this.#grow = sqlite.prepare('UPDATE log SET head = head + 1 WHERE conversation = ? AND epoch = ? RETURNING head')
    this.#count = sqlite.prepare('UPDATE membership SET client_seq = ? WHERE conversation = ? AND device = ?')
    this.#insert = sqlite.prepare(
      'INSERT INTO entry (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#begin = sqlite.prepare('INSERT INTO log (conversation, epoch, head) VALUES (?, 0, 0)')
    this.#turn = sqlite.prepare('UPDATE log SET epoch = epoch + 1 WHERE conversation = ?')
    this.#join = sqlite.prepare(
      `INSERT INTO membership (conversation, device, account, from_seq, to_seq, cursor, client_seq) VALUES (?1, ?2, ?3, ?4, NULL, ?4, 0)
       ON CONFLICT (conversation, device) DO UPDATE SET from_seq = ?4, to_seq = NULL, cursor = ?4`,
    )
    this.#leave = sqlite.prepare('UPDATE membership SET to_seq = ? WHERE conversation = ? AND device = ? AND to_seq IS NULL')
    this.#isMember = sqlite.prepare('SELECT 1 FROM membership WHERE conversation = ? AND device = ? AND to_seq IS NULL')
    this.#isCreator = sqlite.prepare('SELECT 1 FROM membership WHERE conversation = ? AND device = ? AND from_seq = 0 AND to_seq IS NULL')
    this.#hasMember = sqlite.prepare('SELECT 1 FROM membership WHERE account = ? AND conversation = ? AND to_seq IS NULL LIMIT 1')
    this.#memberCount = sqlite.prepare('SELECT count(*) AS count FROM membership WHERE conversation = ? AND to_seq IS NULL')
    this.#advance = sqlite.prepare(
      `UPDATE membership SET cursor = ?3 WHERE conversation = ?1 AND device = ?2 AND cursor < ?3
       AND ?3 <= coalesce(to_seq, (SELECT head FROM log WHERE conversation = ?1))`,
    )
  }

  /** What `judgeAppend` needs; undefined when there is no such conversation. */
  state(conversation: ConversationId, device: DeviceId): AppendState | undefined {
    const row = this.#state.get(conversation, device) as
      | { epoch: number; head: number; clientSeq: number | null; toSeq: number | null }
      | undefined
    if (!row) return undefined
    const { epoch, head, clientSeq, toSeq } = row
    return { log: { epoch, head }, membership: clientSeq === null ? undefined : { active: toSeq === null, clientSeq } }
  }

  /** The entry that used this counter, unless retention has removed it. */
  earlier(at: {
    conversation: ConversationId
    sender: DeviceId
    clientSeq: number
  }): { seq: number; epoch: number; hash: Bytes } | undefined {
    return this.#repeat.get(at.conversation, at.sender, at.clientSeq) as { seq: number; epoch: number; hash: Bytes } | undefined
  }

  /** Whether there is a commit at this position, as far as retention remembers. */
  isCommit(conversation: ConversationId, seq: number): boolean {
    return this.#isCommit.get(conversation, seq) !== undefined
  }

  /** Appends at head + 1 and moves the sender's counter. The caller has judged; a log of another epoch throws. */
  append(entry: NewEntry): number {
    const grown = this.#grow.get(entry.conversation, entry.epoch) as { head: number } | undefined
    if (!grown) throw new Error('the log is at another epoch than was judged')
    const { conversation, epoch, kind, sender, clientSeq, time, hash, bytes } = entry
    this.#insert.run(conversation, grown.head, epoch, kind, sender, clientSeq, time, hash, bytes)
    this.#count.run(clientSeq, conversation, sender)
    return grown.head
  }

  /** An empty log at epoch 0. */
  begin(conversation: ConversationId): void {
    this.#begin.run(conversation)
  }

  nextEpoch(conversation: ConversationId): void {
    this.#turn.run(conversation)
  }

  /** From `fromSeq` on the device is a member. One that was before keeps its counter. */
  join(place: { conversation: ConversationId; device: DeviceId; account: AccountId; fromSeq: number }): void {
    this.#join.run(place.conversation, place.device, place.account, place.fromSeq)
  }

  /** For a device whose own entry made it a member: its counter starts with that entry. */
  setCounter(at: { conversation: ConversationId; device: DeviceId; clientSeq: number }): void {
    this.#count.run(at.clientSeq, at.conversation, at.device)
  }

  /** The device reads up to and including `toSeq`. */
  leave(place: { conversation: ConversationId; device: DeviceId; toSeq: number }): void {
    this.#leave.run(place.toSeq, place.conversation, place.device)
  }

  isMember(conversation: ConversationId, device: DeviceId): boolean {
    return this.#isMember.get(conversation, device) !== undefined
  }

  /** The creator is the one device that reads from the very beginning. */
  isCreator(conversation: ConversationId, device: DeviceId): boolean {
    return this.#isCreator.get(conversation, device) !== undefined
  }

  hasMemberOf(conversation: ConversationId, account: AccountId): boolean {
    return this.#hasMember.get(account, conversation) !== undefined
  }

  memberCount(conversation: ConversationId): number {
    return (this.#memberCount.get(conversation) as { count: number }).count
  }

  /** Forward only, and never past what the device may read. Returns whether it moved. */
  advanceCursor(at: { conversation: ConversationId; device: DeviceId; seq: number }): boolean {
    return this.#advance.run(at.conversation, at.device, at.seq).changes > 0
  }
}

const PLACE = `SELECT membership.conversation, membership.account, membership.from_seq AS fromSeq, membership.to_seq AS toSeq,
  membership.cursor, membership.client_seq AS clientSeq, log.epoch, log.head
  FROM membership JOIN log ON log.conversation = membership.conversation`

export class DeliveryReader {
  readonly #place: StatementSync
  readonly #places: StatementSync
  readonly #entries: StatementSync
  readonly #hashes: StatementSync
  readonly #members: StatementSync
  readonly #hasMember: StatementSync
  readonly #of: StatementSync
  readonly #log: StatementSync
  readonly #share: StatementSync
  readonly #coMembers: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#place = sqlite.prepare(`${PLACE} WHERE membership.conversation = ? AND membership.device = ?`)
    this.#places = sqlite.prepare(`${PLACE} WHERE membership.device = ?`)
    this.#entries = sqlite.prepare(
      `SELECT seq, epoch, kind, sender, client_seq AS clientSeq, time, bytes FROM entry
       WHERE conversation = ? AND seq > ? AND seq <= ? AND bytes IS NOT NULL ORDER BY seq LIMIT ?`,
    )
    this.#hashes = sqlite.prepare('SELECT seq, hash FROM entry WHERE conversation = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?')
    this.#members = sqlite.prepare('SELECT account, device FROM membership WHERE conversation = ? AND to_seq IS NULL ORDER BY device')
    this.#hasMember = sqlite.prepare('SELECT 1 FROM membership WHERE account = ? AND conversation = ? AND to_seq IS NULL LIMIT 1')
    this.#of = sqlite.prepare(
      `SELECT DISTINCT conversation FROM membership WHERE account = ? AND conversation > ? AND to_seq IS NULL ORDER BY conversation LIMIT ?`,
    )
    this.#log = sqlite.prepare('SELECT epoch, head FROM log WHERE conversation = ?')
    this.#share = sqlite.prepare(
      `SELECT 1 FROM membership AS mine JOIN membership AS theirs ON theirs.conversation = mine.conversation
       WHERE mine.account = ? AND theirs.account = ? AND mine.to_seq IS NULL AND theirs.to_seq IS NULL LIMIT 1`,
    )
    this.#coMembers = sqlite.prepare(
      `SELECT DISTINCT theirs.account FROM membership AS mine JOIN membership AS theirs ON theirs.conversation = mine.conversation
       WHERE mine.account = ?1 AND theirs.account <> ?1 AND mine.to_seq IS NULL AND theirs.to_seq IS NULL`,
    )
  }

  /** The device's place in one conversation, also when it left; undefined when it never was a member. */
  place(conversation: ConversationId, device: DeviceId): Place | undefined {
    return this.#place.get(conversation, device) as Place | undefined
  }

  /** All places of a device. */
  places(device: DeviceId): Place[] {
    return rowsAs<Place>(this.#places.all(device))
  }

  /** Entries with `after` < seq <= `end`, in order, without those that retention removed. */
  entries(page: { conversation: ConversationId; after: number; end: number; limit: number }): StoredEntry[] {
    return rowsAs<StoredEntry>(this.#entries.all(page.conversation, page.after, page.end, page.limit))
  }

  hashes(page: { conversation: ConversationId; after: number; end: number; limit: number }): { seq: number; hash: Bytes }[] {
    return rowsAs(this.#hashes.all(page.conversation, page.after, page.end, page.limit))
  }

  /** Devices that are members now. */
  members(conversation: ConversationId): Member[] {
    return rowsAs<Member>(this.#members.all(conversation))
  }

  hasMemberOf(conversation: ConversationId, account: AccountId): boolean {
    return this.#hasMember.get(account, conversation) !== undefined
  }

  /** Conversations in which a device of the account is a member now, by id. */
  conversationsOf(page: { account: AccountId; after: string; limit: number }): ConversationId[] {
    const rows = rowsAs<{ conversation: ConversationId }>(this.#of.all(page.account, page.after, page.limit))
    return rows.map(({ conversation }) => conversation)
  }

  log(conversation: ConversationId): { epoch: number; head: number } | undefined {
    return this.#log.get(conversation) as { epoch: number; head: number } | undefined
  }

  share(account: AccountId, other: AccountId): boolean {
    return this.#share.get(account, other) !== undefined
  }

  coMembers(account: AccountId): AccountId[] {
    return rowsAs<{ account: AccountId }>(this.#coMembers.all(account)).map((row) => row.account)
  }
}
