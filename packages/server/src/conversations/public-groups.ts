/**
 * The groups as the server sees them. The rows are the truth; what is here is their decoded form, kept for the groups that
 * were used last, because decoding and hashing a tree of a thousand leaves takes longer than judging a commit.
 */
import type { ConversationId } from '@tacit/contract'
import { readMessage, resumeGroup, treeOfNodes, withProposals, type PublicGroup } from '@tacit/mls/public'
import type { Database } from '../storage/database.ts'
import * as store from './groups.store.ts'

/** Leaves of all trees that are kept together; a hybrid leaf and its share of the parents take about 4 KB. */
const MOST_LEAVES = 16_384

export class PublicGroups {
  readonly #database: Database
  readonly #mostLeaves: number
  /** In order of use; without proposals. */
  readonly #known = new Map<ConversationId, PublicGroup>()
  #leaves = 0

  constructor(database: Database, { mostLeaves = MOST_LEAVES }: { readonly mostLeaves?: number } = {}) {
    this.#database = database
    this.#mostLeaves = mostLeaves
  }

  /** The group in its current epoch, with the proposals that wait; undefined when the server has no tree of it. */
  async at(conversation: ConversationId): Promise<PublicGroup | undefined> {
    const info = await store.currentInfo(this.#database.kysely, conversation)
    if (!info) return undefined
    const known = this.#known.get(conversation)
    const group = known?.context.epoch === BigInt(info.epoch) ? known : await this.#resume(conversation, info)
    if (!group) return undefined
    this.keep(conversation, group)
    const proposals = await store.waitingProposals(this.#database.kysely, conversation)
    return proposals.length === 0 ? group : withProposals(group, proposals.map(readProposal))
  }

  /** The epoch that a stored commit began. */
  keep(conversation: ConversationId, group: PublicGroup): void {
    this.#forget(conversation)
    this.#known.set(conversation, { ...group, proposals: new Map() })
    this.#leaves += group.tree.leafCount
    for (const oldest of this.#known.keys()) {
      if (this.#leaves <= this.#mostLeaves || oldest === conversation) return
      this.#forget(oldest)
    }
  }

  async #resume(
    conversation: ConversationId,
    info: { readonly epoch: number; readonly bytes: Uint8Array },
  ): Promise<PublicGroup | undefined> {
    const rows = await store.treeOf(this.#database.kysely, conversation, info.epoch)
    return rows.length === 0 ? undefined : resumeGroup(readMessage(info.bytes, 'group_info').groupInfo, treeOfNodes(rows))
  }

  #forget(conversation: ConversationId): void {
    this.#leaves -= this.#known.get(conversation)?.tree.leafCount ?? 0
    this.#known.delete(conversation)
  }
}

const readProposal = (bytes: Uint8Array) => readMessage(bytes, 'public').message
