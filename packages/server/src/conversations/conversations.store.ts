/** Every query on the conversations room's tables. What a commit writes is prepared, because it runs in the group commit. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ConversationId, ConversationKind, DeviceId, WelcomeId } from '@tacit/contract'
import type { Bytes } from '../delivery/delivery.store.ts'

export interface ConversationRow {
  readonly id: ConversationId
  readonly kind: ConversationKind
  readonly directPair: string | null
}

export interface StoredWelcome {
  readonly position: number
  readonly welcome: WelcomeId
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly seq: number
  readonly bytes: Bytes
}

export interface NewWelcome {
  readonly id: WelcomeId
  readonly device: DeviceId
  readonly conversation: ConversationId
  readonly epoch: number
  readonly seq: number
  readonly createdAt: number
  readonly bytes: Uint8Array
}

const CONVERSATION = 'SELECT id, kind, direct_pair AS directPair FROM conversation'

export class ConversationsWriter {
  readonly #show: StatementSync
  readonly #ofPair: StatementSync
  readonly #create: StatementSync
  readonly #replaceInfo: StatementSync
  readonly #welcome: StatementSync
  readonly #forget: StatementSync
  readonly #forgetBefore: StatementSync
  readonly #lowestEpoch: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#show = sqlite.prepare(`${CONVERSATION} WHERE id = ?`)
    this.#ofPair = sqlite.prepare(`${CONVERSATION} WHERE direct_pair = ?`)
    this.#create = sqlite.prepare('INSERT INTO conversation (id, kind, direct_pair, created_at) VALUES (?, ?, ?, ?)')
    this.#replaceInfo = sqlite.prepare(
      `INSERT INTO group_info (conversation, epoch, bytes) VALUES (?1, ?2, ?3)
       ON CONFLICT (conversation) DO UPDATE SET epoch = ?2, bytes = ?3`,
    )
    this.#welcome = sqlite.prepare(
      'INSERT INTO welcome (id, device, conversation, epoch, seq, created_at, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#forget = sqlite.prepare('DELETE FROM welcome WHERE device = ? AND id = ?')
    this.#forgetBefore = sqlite.prepare('DELETE FROM welcome WHERE conversation = ? AND created_at < ?')
    this.#lowestEpoch = sqlite.prepare('SELECT min(epoch) AS epoch FROM welcome WHERE conversation = ?')
  }

  conversation(id: ConversationId): ConversationRow | undefined {
    return this.#show.get(id) as ConversationRow | undefined
  }

  ofPair(pair: string): ConversationRow | undefined {
    return this.#ofPair.get(pair) as ConversationRow | undefined
  }

  create({ id, kind, directPair, createdAt }: ConversationRow & { createdAt: number }): void {
    this.#create.run(id, kind, directPair, createdAt)
  }

  replaceGroupInfo(info: { conversation: ConversationId; epoch: number; bytes: Uint8Array }): void {
    this.#replaceInfo.run(info.conversation, info.epoch, info.bytes)
  }

  addWelcome({ id, device, conversation, epoch, seq, createdAt, bytes }: NewWelcome): void {
    this.#welcome.run(id, device, conversation, epoch, seq, createdAt, bytes)
  }

  /** Only the device's own. */
  forgetWelcome(device: DeviceId, id: WelcomeId): void {
    this.#forget.run(device, id)
  }

  forgetWelcomesBefore(conversation: ConversationId, before: number): void {
    this.#forgetBefore.run(conversation, before)
  }

  /** The lowest epoch that a commit with a waiting welcome ended. */
  lowestWelcomeEpoch(conversation: ConversationId): number | undefined {
    return (this.#lowestEpoch.get(conversation) as { epoch: number | null }).epoch ?? undefined
  }
}

export class ConversationsReader {
  readonly #show: StatementSync
  readonly #info: StatementSync
  readonly #nextWelcome: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#show = sqlite.prepare(`${CONVERSATION} WHERE id = ?`)
    this.#info = sqlite.prepare(
      `SELECT group_info.epoch, log.head, group_info.bytes FROM group_info JOIN log ON log.conversation = group_info.conversation
       WHERE group_info.conversation = ?`,
    )
    this.#nextWelcome = sqlite.prepare(
      `SELECT welcome.position, welcome.id AS welcome, welcome.conversation, conversation.kind, welcome.seq, welcome.bytes
       FROM welcome JOIN conversation ON conversation.id = welcome.conversation
       WHERE welcome.device = ? AND welcome.position > ? ORDER BY welcome.position LIMIT 1`,
    )
  }

  conversation(id: ConversationId): ConversationRow | undefined {
    return this.#show.get(id) as ConversationRow | undefined
  }

  groupInfo(id: ConversationId): { epoch: number; head: number; bytes: Bytes } | undefined {
    return this.#info.get(id) as { epoch: number; head: number; bytes: Bytes } | undefined
  }

  /** The device's first welcome after a position. */
  nextWelcome(device: DeviceId, position: number): StoredWelcome | undefined {
    return this.#nextWelcome.get(device, position) as StoredWelcome | undefined
  }
}
