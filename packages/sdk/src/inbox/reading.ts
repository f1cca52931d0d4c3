/**
 * A batch of entries while it is read: the state and group it leads to, and everything to be written with them. Nothing of
 * it exists for anybody else until the one transaction at the end has stored all of it.
 */
import type { AccountId, ConversationId, DeviceId, Entry, MessageId } from '@tacit/contract'
import type { Group, Persist, Wipe } from '@tacit/mls'
import type { IncomingMessage } from '../api.ts'
import type { Conversation } from '../conversations/conversation.store.ts'
import { eraseGroup, GroupChanges } from '../conversations/group.store.ts'
import type { Hold } from '../conversations/held.ts'
import type { DeviceCore } from '../device-core.ts'
import { blob, integer } from '../local-store/columns.ts'
import type { Writer } from '../local-store/driver.ts'
import { anyLost, findLost, isLostMessage, type LostEntry } from '../rollback/rollback.store.ts'
import { clearMarker } from './marker.ts'
import { addItem, type NewItem } from '../messages/items.store.ts'
import { keepNoDeclinedWords } from '../requests/admission.ts'

/** How many transcript hashes are kept: senders rarely lag further behind than this. */
const KEPT_TRANSCRIPT = 2000

/** A sender's counter: the last that opened, and how many entries in its name did not since. */
export interface Counter {
  readonly clientSeq: number
  readonly unopened: number
}

/** A message as a script hears of it, its sender still an account. */
export interface Arrival extends Omit<IncomingMessage, 'sender'> {
  readonly account: AccountId
}

/** H after an entry, and the entry's own hash. */
export interface Transcribed {
  readonly transcript: Uint8Array
  readonly entry: Uint8Array
}

export class Reading {
  readonly core: DeviceCore
  readonly conversation: ConversationId
  state: Conversation
  /** An own entry was met: only one can be on its way at a time. */
  settled = false
  readonly arrivals: Arrival[] = []
  /** Intents that became true in this batch. */
  readonly fulfilled: number[] = []
  /** Other conversations that show something of it. */
  readonly besides: ConversationId[] = []
  /** Heads of the log of device lists came with it. */
  heardHeads = false
  /** Something did not fit: perhaps the server’s log is not the one that was followed so far. */
  suspicious = false
  readonly #hold: Hold
  #group: Group | undefined
  #groupDropped = false
  readonly #groupChanges = new GroupChanges()
  readonly #consumed: Uint8Array[] = []
  readonly #writes: ((writer: Writer) => Promise<void>)[] = []
  readonly #messages = new Set<MessageId>()
  readonly #counters = new Map<DeviceId, Counter>()
  readonly #transcripts = new Map<number, Transcribed>()
  #anyLost: boolean | undefined

  constructor(core: DeviceCore, hold: Hold, state: Conversation) {
    this.core = core
    this.#hold = hold
    this.conversation = hold.conversation
    this.state = state
    this.#group = hold.group
  }

  get group(): Group | undefined {
    return this.#group
  }

  /** The group after an entry was opened. What the groups before held and this one does not is overwritten once it is stored. */
  advance(next: { readonly group: Group; readonly persist: Persist; readonly wipe: Wipe }): void {
    this.#group = next.group
    this.#groupChanges.add(next.persist)
    this.#consumed.push(...next.wipe)
  }

  /** This device has no group any more: it was removed, or has to join anew. */
  dropGroup(): void {
    this.#group = undefined
    this.#groupDropped = true
  }

  write(work: (writer: Writer) => Promise<void>): void {
    this.#writes.push(work)
  }

  /** Keeps a head that a message brought; it is compared once the batch is stored. */
  hear(keep: (writer: Writer) => Promise<void>): void {
    this.heardHeads = true
    this.write(keep)
  }

  addItem(entry: Pick<Entry, 'seq' | 'time'>, item: NewItem): void {
    const { seq, time } = entry
    this.write((writer) => addItem(writer, { conversation: this.conversation, seq, time, item }))
  }

  noteTranscript(seq: number, transcribed: Transcribed): void {
    this.#transcripts.set(seq, transcribed)
  }

  /** H at a position, while it is kept. */
  async transcriptAt(seq: number): Promise<Uint8Array | undefined> {
    const fresh = this.#transcripts.get(seq)
    if (fresh) return fresh.transcript
    const sql = 'select hash from transcript where conversation = ? and seq = ?'
    const row = await this.core.store.get(sql, [this.conversation, seq])
    return row && blob(row, 'hash')
  }

  /** What this device took already and the server lost since, by its hash. */
  async takenBefore(hash: Uint8Array): Promise<LostEntry | undefined> {
    return (await this.#hasLost()) ? findLost(this.core.store, this.conversation, hash) : undefined
  }

  /** The same by its id, for a message that was sealed anew. */
  async wasLost(message: MessageId): Promise<boolean> {
    return (await this.#hasLost()) && isLostMessage(this.core.store, this.conversation, message)
  }

  async #hasLost(): Promise<boolean> {
    return (this.#anyLost ??= await anyLost(this.core.store, this.conversation))
  }

  /**
   * Whether a message of this id is in the log already; from now on it is. The very same one from the archive is no repeat:
   * another own device was faster. With other words or of somebody else it would take that one's place.
   */
  async isRepeat(message: MessageId, as: { readonly account: AccountId; readonly text: string }): Promise<boolean> {
    if (this.#messages.has(message)) return true
    this.#messages.add(message)
    const sql = 'select account, text, restored from item where conversation = ? and message = ?'
    const row = await this.core.store.get(sql, [this.conversation, message])
    return row !== undefined && !(row['restored'] === 1 && row['account'] === as.account && row['text'] === as.text)
  }

  /** Where a sender's counter stands; undefined before its first entry. */
  async counterOf(device: DeviceId): Promise<Counter | undefined> {
    const fresh = this.#counters.get(device)
    if (fresh !== undefined) return fresh
    const sql = 'select client_seq, unopened from counter where conversation = ? and device = ?'
    const row = await this.core.store.get(sql, [this.conversation, device])
    return row && { clientSeq: integer(row, 'client_seq'), unopened: integer(row, 'unopened') }
  }

  /** What the sender itself has signed. */
  setCounter(device: DeviceId, clientSeq: number): void {
    this.#counters.set(device, { clientSeq, unopened: 0 })
  }

  /** Something came in the sender's name and did not open: whose it is, only the server says. */
  async countUnopened(device: DeviceId): Promise<void> {
    const before = await this.counterOf(device)
    if (before) this.#counters.set(device, { ...before, unopened: before.unopened + 1 })
  }

  /** One transaction for everything that was read. */
  async store(): Promise<void> {
    const group = this.#groupDropped && !this.#group ? 'none' : this.#group
    await this.#hold.store({ state: this.state, ...(group && { group }), write: (writer) => this.#writeAll(writer) })
    this.core.marker.cleared()
    // Not before: a batch that breaks is read again from the group that was stored last.
    for (const secret of this.#consumed) secret.fill(0)
  }

  async #writeAll(writer: Writer): Promise<void> {
    const { conversation } = this
    if (this.#groupDropped) await eraseGroup(writer, conversation)
    if (this.#group) await this.#groupChanges.save(writer, conversation)
    for (const write of this.#writes) await write(writer)
    if (this.arrivals.length > 0) await keepNoDeclinedWords(writer, conversation)
    for (const [device, { clientSeq, unopened }] of this.#counters)
      await writer.run('insert or replace into counter (conversation, device, client_seq, unopened) values (?, ?, ?, ?)', [
        conversation,
        device,
        clientSeq,
        unopened,
      ])
    for (const [seq, { transcript, entry }] of this.#transcripts)
      await writer.run('insert or replace into transcript (conversation, seq, hash, entry) values (?, ?, ?, ?)', [
        conversation,
        seq,
        transcript,
        entry,
      ])
    await clearMarker(writer)
    await writer.run('delete from transcript where conversation = ? and seq < ?', [conversation, this.state.cursor - KEPT_TRANSCRIPT])
  }
}
