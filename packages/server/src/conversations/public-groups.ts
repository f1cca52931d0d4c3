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
    for (;;) {
      const stored = await this.#read(conversation)
      if (stored === 'moved') continue
      if (!stored) return undefined
      const group = stored.known ?? resumeGroup(readMessage(stored.info, 'group_info').groupInfo, treeOfNodes(stored.rows))
      this.keep(conversation, group)
      return withProposals(group, stored.proposals.map(readProposal))
    }
  }

  /** All rows of one epoch. `moved`: a commit by another process came in between. */
  async #read(conversation: ConversationId) {
    const { kysely } = this.#database
    const info = await store.currentInfo(kysely, conversation)
    if (!info) return undefined
    const kept = this.#known.get(conversation)
    const known = kept?.context.epoch === BigInt(info.epoch) ? kept : undefined
    const rows = known ? [] : await store.treeOf(kysely, conversation, info.epoch)
    const proposals = await store.waitingProposals(kysely, conversation)
    if ((await store.currentInfo(kysely, conversation))?.epoch !== info.epoch) return 'moved'
    return known || rows.length > 0 ? { info: info.bytes, known, rows, proposals } : undefined
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

  #forget(conversation: ConversationId): void {
    this.#leaves -= this.#known.get(conversation)?.tree.leafCount ?? 0
    this.#known.delete(conversation)
  }
}

const readProposal = (bytes: Uint8Array) => readMessage(bytes, 'public').message
