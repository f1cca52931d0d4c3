/**
 * On SQLite the index of entries follows behind: entries are written one after another, and where each stands in its conversation's log is
 * noted for some hundreds together. An index that is kept at once costs a page for each conversation of a commit, which was most of what
 * a commit wrote. `entry` is a view now that shows both, those with a place and those that came last, and takes what is written to it.
 *
 * PostgreSQL writes rows and not pages to its log, and keeps its table.
 */
import { sql, SqliteAdapter, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const entriesPlacedLater: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return
    await makeTables(db)
    await sql`
      INSERT INTO entry_row (id, conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes)
      SELECT rowid, conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes FROM entry ORDER BY rowid`.execute(db)
    await sql`INSERT INTO entry_place (conversation, seq, row) SELECT conversation, seq, rowid FROM entry ORDER BY conversation, seq`.execute(
      db,
    )
    await sql`INSERT INTO entry_placed (upto) SELECT coalesce(max(id), 0) FROM entry_row`.execute(db)
    await db.schema.dropTable('entry').execute()
    await makeView(db)
  },
}

async function makeTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('entry_row')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('sender', 'text', (column) => column.notNull())
    .addColumn('client_seq', 'bigint', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'blob', (column) => column.notNull())
    .addColumn('bytes', 'blob')
    .execute()
  await db.schema
    .createTable('entry_place')
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('row', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('entry_place_key', ['conversation', 'seq'])
    .modifyEnd(sql`WITHOUT ROWID`)
    .execute()
  // One row: rows up to this id have their place, and no id up to it is given again, whatever was deleted.
  await db.schema
    .createTable('entry_placed')
    .addColumn('upto', 'bigint', (column) => column.notNull())
    .execute()
}

const UNPLACED = sql`id > (SELECT upto FROM entry_placed)`

const ROW = sql`
  coalesce(
    (SELECT row FROM entry_place WHERE conversation = OLD.conversation AND seq = OLD.seq),
    (SELECT id FROM entry_row WHERE ${UNPLACED} AND conversation = OLD.conversation AND seq = OLD.seq))`

/** What is not hot is written through the view. An entry that is added so is given its place at once, and all before it with it. */
async function makeView(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE VIEW entry (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) AS
    SELECT place.conversation, place.seq, epoch, kind, sender, client_seq, time, hash, bytes FROM entry_place AS place
    JOIN entry_row ON id = row
    UNION ALL
    SELECT conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes FROM entry_row WHERE ${UNPLACED}`.execute(db)
  await sql`
    CREATE TRIGGER entry_added INSTEAD OF INSERT ON entry BEGIN
      INSERT INTO entry_row (id, conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) VALUES (
        1 + max((SELECT upto FROM entry_placed), coalesce((SELECT max(id) FROM entry_row), 0)),
        NEW.conversation, NEW.seq, NEW.epoch, NEW.kind, NEW.sender, NEW.client_seq, NEW.time, NEW.hash, NEW.bytes);
      INSERT INTO entry_place (conversation, seq, row) SELECT conversation, seq, id FROM entry_row WHERE ${UNPLACED} ORDER BY conversation, seq;
      UPDATE entry_placed SET upto = (SELECT max(id) FROM entry_row);
    END`.execute(db)
  await sql`CREATE TRIGGER entry_emptied INSTEAD OF UPDATE OF bytes ON entry BEGIN UPDATE entry_row SET bytes = NEW.bytes WHERE id = ${ROW}; END`.execute(
    db,
  )
  await sql`
    CREATE TRIGGER entry_dropped INSTEAD OF DELETE ON entry BEGIN
      DELETE FROM entry_row WHERE id = ${ROW};
      DELETE FROM entry_place WHERE conversation = OLD.conversation AND seq = OLD.seq;
    END`.execute(db)
}
