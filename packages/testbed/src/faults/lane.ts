/** What one device of a crowd says in one conversation: an outbox in order, up to a pipeline of it offered at once. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ConversationId, Entry } from '@tacit/contract'
import { createMlsEngine, type Group, type PendingCommit } from '@tacit/mls'
import { keyPackageOf } from '../wire-group.ts'
import { opaqueMessage, type CommandAnswer, type WireDevice, type WireSocket } from '../wire-device.ts'
import { hashOf, newMessageId } from './crowd-bytes.ts'
import type { CrowdHears } from './crowd-member.ts'
import { orLate } from './patience.ts'

const engine = await createMlsEngine({ treeInWelcome: false })

/** What of a socket a conversation needs. */
export type LaneSocket = Pick<WireSocket, 'command' | 'drop'>

/** Somebody whom a commit adds; told when it is accepted. */
export interface Guest {
  readonly device: WireDevice
  joined(seq: number, epoch: number): void
}

/** What is said, in the bytes of its newest attempt. */
interface Item {
  readonly message: string
  readonly size: number
  readonly clientSeq: number
  /** Of all attempts. */
  readonly hashes: Set<string>
  hash: string
  epoch: number
  bytes: Uint8Array<ArrayBuffer>
  pending?: PendingCommit
  guest?: Guest
  /** When it was offered in these bytes for the first time. */
  since?: number
}

export interface LaneOptions {
  readonly conversation: ConversationId
  readonly device: string
  readonly hears: CrowdHears
  /** Messages offered at once. */
  readonly pipeline: number
  /** The group, when this device commits. */
  readonly group?: Group
  readonly epoch: number
  readonly clientSeq: number
}

/** Refusals that a device answers by trying again later, as the SDK does (`isPassing`): after `internal` nobody knows what became of it. */
const PASSING = new Set(['unavailable', 'internal', 'timed_out', 'busy', 'rate_limited', 'storage_full', 'out_of_order', 'stale_epoch'])

export class Lane {
  readonly conversation: ConversationId
  /** Up to here this device has the log. */
  cursor = 0
  /** As far as this device knows, the log goes up to here: it may have been told so before it has it. */
  head = 0
  readonly #options: LaneOptions
  #group: Group | undefined
  #epoch: number
  #counter: number
  #items: Item[] = []
  #wanted = 0
  #commitWanted = false
  #guests: Guest[] = []
  #wake: () => void = () => undefined
  #arrived: () => void = () => undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.conversation = options.conversation
    this.#group = options.group
    this.#epoch = options.epoch
    this.#counter = options.clientSeq
  }

  get outbox(): number {
    return this.#items.length + this.#wanted + this.#guests.length
  }

  get canCommit(): boolean {
    return this.#group !== undefined
  }

  /** So many messages more are to be said. */
  write(count: number): void {
    this.#wanted += count
    this.#wake()
  }

  /** Forgets what was not begun yet. */
  hush(): void {
    this.#wanted = 0
    this.#commitWanted = false
    this.#guests = []
  }

  /** The next thing that is said is a commit, if this device has the group; it may add somebody. */
  commit(guest?: Guest): void {
    this.#commitWanted = this.canCommit
    if (guest && this.canCommit) this.#guests.push(guest)
    this.#wake()
  }

  /** An entry of the log; own ones are accepted by that. */
  kept({ seq, epoch, kind }: Entry, hash: string): void {
    this.cursor = seq
    this.head = Math.max(this.head, seq)
    // An own commit is often accepted before entries from before it arrive.
    if (kind === 'commit') this.#epoch = Math.max(this.#epoch, epoch + 1)
    const at = this.#items.findIndex((item) => item.hashes.has(hash))
    if (at >= 0) this.#done(at + 1, seq)
    this.#arrived()
  }

  /** Says what there is to say, until the socket is closed. */
  async talk(socket: LaneSocket, closed: Promise<void>): Promise<void> {
    let open = true
    const end = closed.then(() => (open = false))
    while (open) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve))
      const batch = await this.#nextBatch()
      if (batch.length === 0) await Promise.race([end, woken])
      else if (open) await Promise.race([end, orLate(this.#offerAll(socket, batch), () => void socket.drop())])
    }
  }

  /** What waits already goes first, sealed for the epoch that is now; a commit goes alone. */
  async #nextBatch(): Promise<readonly Item[]> {
    if (this.#items.length === 0 && this.#commitWanted) {
      this.#commitWanted = false
      await this.#buildCommit()
    }
    const room = this.#options.pipeline - this.#items.length
    const isCommit = this.#items.some(({ pending }) => pending)
    for (let more = isCommit ? 0 : Math.min(this.#wanted, room); more > 0; more--) this.#add()
    for (const item of this.#items) if (item.epoch !== this.#epoch && !item.pending) this.#seal(item)
    return [...this.#items]
  }

  #add(): void {
    this.#wanted -= 1
    const message = newMessageId()
    const size = Math.random() < 0.05 ? 4000 : 100 + Math.floor(Math.random() * 300)
    const item: Item = {
      message,
      size,
      clientSeq: this.#counter + this.#items.length + 1,
      hashes: new Set(),
      hash: '',
      epoch: -1,
      bytes: new Uint8Array(),
    }
    this.#items.push(item)
    this.#seal(item)
    this.#options.hears.offered(message)
  }

  #seal(item: Item): void {
    const text = Buffer.concat([randomBytes(item.size), Buffer.from(item.message, 'latin1')])
    item.bytes = opaqueMessage({ conversation: this.conversation, epoch: this.#epoch, bytes: text })
    item.epoch = this.#epoch
    this.#invoke(item)
  }

  async #buildCommit(): Promise<void> {
    const group = this.#group
    if (!group) return
    const guest = this.#guests.shift()
    const add = guest ? [(await keyPackageOf(guest.device)).keyPackage] : []
    const pending = await engine.commit(group, { add, authenticate: () => Promise.resolve(true) })
    const clientSeq = this.#counter + 1
    const item: Item = {
      message: '',
      size: 0,
      clientSeq,
      hashes: new Set(),
      hash: '',
      epoch: this.#epoch,
      bytes: new Uint8Array(pending.commit),
      pending,
      ...(guest && { guest }),
    }
    this.#items.push(item)
    this.#invoke(item)
  }

  #invoke(item: Item): void {
    delete item.since
    item.hash = hashOf(item.bytes)
    item.hashes.add(item.hash)
    this.#record('invoke', item)
  }

  async #offerAll(socket: LaneSocket, batch: readonly Item[]): Promise<void> {
    const answers = await Promise.all(batch.map((item) => this.#offer(socket, item)))
    const refused = answers.find((answer) => !answer.ok)
    if (!refused || refused.ok) return
    const { failure, details } = refused
    if (failure === 'stale_epoch' && 'head' in details) await this.#caughtUpTo(Number(details.head))
    else if (failure !== 'out_of_order') await pause(failure === 'storage_full' ? 100 : 20)
  }

  async #offer(socket: LaneSocket, item: Item): Promise<CommandAnswer<'delivery.send'>> {
    const { recorder, accepted, refused } = this.#options.hears
    item.since ??= recorder.now()
    const answer = await this.#ask(socket, item)
    if (answer.ok) {
      const { seq, hash } = answer.result
      this.head = Math.max(this.head, seq)
      this.#record('ok', item, { seq, hash: Buffer.from(hash).toString('hex') })
      accepted(recorder.now() - item.since)
      const at = this.#items.indexOf(item)
      if (at >= 0) this.#done(at + 1, seq)
      return answer
    }
    refused(answer.failure)
    const isOver = !PASSING.has(answer.failure)
    this.#record(isOver ? 'fail' : 'info', item)
    if (isOver) this.#items = this.#items.filter((one) => one !== item)
    return answer
  }

  #ask(socket: LaneSocket, { clientSeq, epoch, bytes, pending }: Item): Promise<CommandAnswer<'delivery.send'>> {
    const { conversation } = this
    if (!pending) return socket.command('delivery.send', { conversation, epoch, clientSeq, bytes })
    const groupInfo = new Uint8Array(pending.groupInfo)
    const welcome = pending.welcomes[0] ? new Uint8Array(pending.welcomes[0].bytes) : null
    return socket.command('conversations.commit', { conversation, epoch, clientSeq, commit: bytes, welcome, groupInfo })
  }

  /** The first so many are accepted; a log has no gaps, so those before an accepted one are, too. */
  #done(count: number, seq: number): void {
    for (const { pending, epoch, guest } of this.#items.slice(0, count)) {
      if (!pending) continue
      guest?.joined(seq, epoch + 1)
      this.#group = pending.next
      this.#epoch = Math.max(this.#epoch, epoch + 1)
    }
    this.#counter += count
    this.#items = this.#items.slice(count)
  }

  async #caughtUpTo(head: number): Promise<void> {
    while (this.cursor < head) await new Promise<void>((resolve) => (this.#arrived = resolve))
  }

  #record(phase: 'invoke' | 'ok' | 'fail' | 'info', item: Item, answer: { readonly seq?: number; readonly hash?: string } = {}): void {
    const { pending, message, clientSeq, epoch, hash } = item
    const said = { device: this.#options.device, conv: this.conversation, client_seq: clientSeq, epoch, hash }
    const operation = { ...said, phase, ...answer }
    if (pending) this.#options.hears.recorder.operation({ op: 'commit', ...operation })
    else this.#options.hears.recorder.operation({ op: 'send', ...operation, message_id: message })
  }
}
