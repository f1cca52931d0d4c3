/**
 * `node:sqlite` behind Kysely's own SQLite dialect: only the surface that Kysely uses, with a bounded cache of prepared
 * statements. DDL is transactional on SQLite, which Kysely's adapter does not claim; saying so makes the migrator run
 * everything that is pending in one transaction, so a process killed midway leaves the old schema. Row locks are left out:
 * the one writer has nobody to lock out.
 */
import type { SQLInputValue } from 'node:sqlite'
import {
  SqliteAdapter,
  SqliteDialect,
  SqliteQueryCompiler,
  type DialectAdapter,
  type QueryCompiler,
  type SelectModifierNode,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely'
import type { SqliteConnection, SqliteStatement as EngineStatement } from './engine.ts'

const CACHED_STATEMENTS = 256
const CACHED_LENGTH = 4096

export class NodeSqliteDialect extends SqliteDialect {
  constructor(sqlite: SqliteConnection) {
    super({ database: asDatabase(sqlite) })
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter()
  }

  override createQueryCompiler(): QueryCompiler {
    return new WithoutRowLocks()
  }
}

class WithoutRowLocks extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node)
  }
}

class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Statements in least-recently-used order; a `Map` keeps insertion order. */
function asDatabase(sqlite: SqliteConnection): SqliteDatabase {
  const cache = new Map<string, SqliteStatement>()
  return {
    close: () => {
      cache.clear()
      sqlite.close()
    },
    prepare(sql) {
      if (sql === 'rollback') return rollbackOn(sqlite)
      const known = cache.get(sql)
      if (known) {
        cache.delete(sql)
        cache.set(sql, known)
        return known
      }
      const statement = asStatement(sqlite.prepare(sql))
      if (sql.length < CACHED_LENGTH) cache.set(sql, statement)
      if (cache.size > CACHED_STATEMENTS) dropOldest(cache)
      return statement
    },
  }
}

/**
 * SQLite gives up a transaction by itself when the disk is full or fails. Ending it once more would be an error of its own, which
 * would take the place of the one that says why.
 */
const rollbackOn = (sqlite: SqliteConnection): SqliteStatement => ({
  reader: false,
  all: () => [],
  run() {
    if (sqlite.isTransaction) sqlite.exec('rollback')
    return { changes: 0, lastInsertRowid: 0 }
  },
  iterate: () => [][Symbol.iterator](),
})

function dropOldest(cache: Map<string, SqliteStatement>): void {
  for (const oldest of cache.keys()) {
    cache.delete(oldest)
    return
  }
}

const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[]

function asStatement(statement: EngineStatement): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  }
}
