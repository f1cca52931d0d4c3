/** Every query on the log of device lists and its two trees. */
import type { logTree, prefixTree } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

const THE_LOG = 1

const NO_LOG = { size: 0, head: new Uint8Array() }

/** Until the transaction ends nobody else appends. */
export async function lockLog(tx: Writer): Promise<{ size: number; head: Uint8Array }> {
  // There must be a row to lock, also for whoever is first.
  await tx
    .insertInto('transparency_log')
    .values({ id: THE_LOG, ...NO_LOG })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  return tx.selectFrom('transparency_log').select(['size', 'head']).where('id', '=', THE_LOG).forUpdate().executeTakeFirstOrThrow()
}

export async function readLog(db: Reader): Promise<{ size: number; head: Uint8Array }> {
  return (await db.selectFrom('transparency_log').select(['size', 'head']).where('id', '=', THE_LOG).executeTakeFirst()) ?? NO_LOG
}

export const setLog = (tx: Writer, log: { size: number; head: Uint8Array }) =>
  tx.updateTable('transparency_log').set(log).where('id', '=', THE_LOG).execute()

export const addEntry = (tx: Writer, entry: { position: number; bytes: Uint8Array }) =>
  tx.insertInto('transparency_entry').values(entry).execute()

export async function entriesFrom(db: Reader, from: number, limit: number): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom('transparency_entry')
    .select('bytes')
    .where('position', '>=', from)
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map(({ bytes }) => bytes)
}

export const addNodes = (tx: Writer, nodes: readonly (logTree.NodeId & { hash: Uint8Array })[]) =>
  tx
    .insertInto('transparency_node')
    .values(nodes.map(({ level, index, hash }) => ({ level, position: index, hash })))
    .execute()

/** The complete subtrees that were asked for. Throws for one that is not there. */
export async function loadNodes(db: Reader, wanted: readonly logTree.NodeId[]): Promise<logTree.NodeHash> {
  const rows =
    wanted.length === 0
      ? []
      : await db
          .selectFrom('transparency_node')
          .selectAll()
          .where(({ or, and, eb }) => or(wanted.map(({ level, index }) => and([eb('level', '=', level), eb('position', '=', index)]))))
          .execute()
  const hashes = new Map(rows.map(({ level, position, hash }) => [`${level}.${position}`, hash]))
  return ({ level, index }) => {
    const hash = hashes.get(`${level}.${index}`)
    if (!hash) throw new Error('a node of the log is missing')
    return hash
  }
}

export async function loadPlaces(db: Reader, prefixes: readonly string[]): Promise<Map<string, prefixTree.PrefixNode>> {
  const rows = await db.selectFrom('transparency_place').selectAll().where('prefix', 'in', prefixes).execute()
  return new Map(rows.map((row) => [row.prefix, nodeOf(row)]))
}

export async function putPlaces(tx: Writer, places: ReadonlyMap<string, prefixTree.PrefixNode>): Promise<void> {
  const rows = [...places].map(([prefix, node]) => ({
    prefix,
    hash: node.hash,
    label: node.kind === 'leaf' ? node.label : null,
    version: node.kind === 'leaf' ? node.version : null,
    list_hash: node.kind === 'leaf' ? node.list : null,
  }))
  await tx
    .insertInto('transparency_place')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('prefix').doUpdateSet(({ ref }) => ({
        hash: ref('excluded.hash'),
        label: ref('excluded.label'),
        version: ref('excluded.version'),
        list_hash: ref('excluded.list_hash'),
      })),
    )
    .execute()
}

/** Lists in the order of their accounts, a page at a time: what a log that begins late begins with. */
export const listsAfter = (db: Reader, after: string, limit: number) =>
  db
    .selectFrom('device_list')
    .select(['account', 'version', 'hash'])
    .where('account', '>', after as Tables['device_list']['account'])
    .orderBy('account')
    .limit(limit)
    .execute()

function nodeOf({ hash, label, version, list_hash }: Selectable<Tables['transparency_place']>): prefixTree.PrefixNode {
  if (label === null || version === null || list_hash === null) return { kind: 'fork', hash }
  return { kind: 'leaf', hash, label, version, list: list_hash }
}
