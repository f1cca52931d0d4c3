/**
 * Ratchet trees node by node, with the epochs in which each node stood, and proposals that wait for a commit. Conversations
 * from before this migration keep their tree inside the stored GroupInfo; it is laid out in rows here.
 */
import { decodeTree, EXTENSION, changedNodes, findExtension, readMessage, suiteOf } from '@tacit/mls/public'
import { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Tables } from '../tables.ts'

export const groupTrees: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await db.schema
      .createTable('tree_node')
      .addColumn('conversation', 'text', (column) => column.notNull().references('conversation.id').onDelete('cascade'))
      .addColumn('node', 'integer', (column) => column.notNull())
      .addColumn('from_epoch', 'bigint', (column) => column.notNull())
      .addColumn('until_epoch', 'bigint')
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('tree_node_key', ['conversation', 'node', 'from_epoch'])
      .execute()
    await db.schema.createIndex('tree_node_until').on('tree_node').columns(['conversation', 'until_epoch']).execute()
    await db.schema
      .createTable('waiting_proposal')
      .addColumn('conversation', 'text', (column) => column.notNull().references('conversation.id').onDelete('cascade'))
      .addColumn('seq', 'bigint', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('waiting_proposal_key', ['conversation', 'seq'])
      .execute()
    await layOutTrees(db)
  },
}

async function layOutTrees(db: Kysely<Tables>): Promise<void> {
  for (const { conversation, epoch, bytes } of await db.selectFrom('group_info').selectAll().execute()) {
    for (const { node, bytes: content } of nodesIn(new Uint8Array(bytes))) {
      if (!content) continue
      await db.insertInto('tree_node').values({ conversation, node, from_epoch: epoch, until_epoch: null, bytes: content }).execute()
    }
  }
}

/** Nothing for a GroupInfo that does not hold: its conversation stands still, as it did for its members. */
function nodesIn(groupInfo: Uint8Array) {
  try {
    const info = readMessage(groupInfo, 'group_info').groupInfo
    const tree = findExtension(info.extensions, EXTENSION.ratchetTree)
    return tree ? changedNodes(undefined, decodeTree(suiteOf(info.context.suite), tree)) : []
  } catch {
    return []
  }
}
