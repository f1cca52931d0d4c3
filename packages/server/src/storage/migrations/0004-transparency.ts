/** The log of device lists, its Merkle tree, and the tree over the labels. Lists that are there already enter it when the server starts. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Tables } from '../tables.ts'

export const transparency: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await db.schema
      .createTable('transparency_log')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('head', 'blob', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('transparency_entry')
      .addColumn('position', 'bigint', (column) => column.primaryKey())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('transparency_node')
      .addColumn('level', 'integer', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('hash', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('transparency_node_key', ['level', 'position'])
      .execute()
    await db.schema
      .createTable('transparency_place')
      .addColumn('prefix', 'text', (column) => column.primaryKey())
      .addColumn('hash', 'blob', (column) => column.notNull())
      .addColumn('label', 'blob')
      .addColumn('version', 'integer')
      .addColumn('list_hash', 'blob')
      .execute()
  },
}
