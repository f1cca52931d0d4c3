/** The queries on what the server knows of an MLS group from outside: its GroupInfo, its tree by epoch, proposals that wait. */
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { NodeChange, NodeRow } from '@tacit/mls/public'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

/** What a group is from an epoch on. */
export interface EnteredEpoch {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly groupInfo: Uint8Array
  /** Nodes that are other than in the epoch before. */
  readonly nodes: readonly NodeChange[]
}

/** The group enters an epoch; what waited for a commit waits no more. */
export async function enterEpoch(tx: Writer, { conversation, epoch, groupInfo, nodes }: EnteredEpoch): Promise<void> {
  await tx
    .insertInto('group_info')
    .values({ conversation, epoch, bytes: groupInfo })
    .onConflict((conflict) => conflict.column('conversation').doUpdateSet({ epoch, bytes: groupInfo }))
    .execute()
  const changed = nodes.map(({ node }) => node)
  if (changed.length > 0 && epoch > 0) {
    await tx
      .updateTable('tree_node')
      .set({ until_epoch: epoch })
      .where('conversation', '=', conversation)
      .where('node', 'in', changed)
      .where('until_epoch', 'is', null)
      .execute()
  }
  const rows = nodes.flatMap(({ node, bytes }) => (bytes ? [{ conversation, node, from_epoch: epoch, until_epoch: null, bytes }] : []))
  if (rows.length > 0) await tx.insertInto('tree_node').values(rows).execute()
  await tx.deleteFrom('waiting_proposal').where('conversation', '=', conversation).execute()
  await pruneTree(tx, conversation)
}

/** Forgets nodes that neither the current epoch has nor a waiting welcome needs. */
export const pruneTree = (tx: Writer, conversation: ConversationId) =>
  tx
    .deleteFrom('tree_node')
    .where('conversation', '=', conversation)
    .where('until_epoch', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('welcome')
            .select('welcome.id')
            .where('welcome.conversation', '=', conversation)
            // A welcome is stored with the epoch that its commit ended.
            .where(({ eb, ref, lit }) => eb(eb('welcome.epoch', '+', lit(1)), '>=', ref('tree_node.from_epoch')))
            .where(({ eb, ref, lit }) => eb(eb('welcome.epoch', '+', lit(1)), '<', ref('tree_node.until_epoch'))),
        ),
      ),
    )
    .execute()

export const addProposal = (tx: Writer, waiting: { conversation: ConversationId; seq: number; bytes: Uint8Array }) =>
  tx.insertInto('waiting_proposal').values(waiting).execute()

/** Of the current epoch. */
export async function currentInfo(db: Reader, conversation: ConversationId): Promise<{ epoch: number; bytes: Uint8Array } | undefined> {
  const row = await db.selectFrom('group_info').select(['epoch', 'bytes']).where('conversation', '=', conversation).executeTakeFirst()
  return row && { epoch: row.epoch, bytes: new Uint8Array(row.bytes) }
}

/** Nodes of the tree of an epoch, in order; only some when the epoch is not kept any more. */
export async function treeOf(db: Reader, conversation: ConversationId, epoch: number): Promise<NodeRow[]> {
  const rows = await db
    .selectFrom('tree_node')
    .select(['node', 'bytes'])
    .where('conversation', '=', conversation)
    .where('from_epoch', '<=', epoch)
    .where(({ or, eb }) => or([eb('until_epoch', 'is', null), eb('until_epoch', '>', epoch)]))
    .orderBy('node')
    .execute()
  return rows.map(({ node, bytes }) => ({ node, bytes: new Uint8Array(bytes) }))
}

/** Encoded proposals of the current epoch that wait, in log order. */
export async function waitingProposals(db: Reader, conversation: ConversationId): Promise<Uint8Array[]> {
  const rows = await db.selectFrom('waiting_proposal').select('bytes').where('conversation', '=', conversation).orderBy('seq').execute()
  return rows.map(({ bytes }) => new Uint8Array(bytes))
}

/** Devices whose welcome into this epoch waits. */
export async function welcomedInto(db: Reader, conversation: ConversationId, epoch: number): Promise<DeviceId[]> {
  const rows = await db
    .selectFrom('welcome')
    .select('device')
    .where('conversation', '=', conversation)
    .where('epoch', '=', epoch - 1)
    .execute()
  return rows.map(({ device }) => device)
}
