/**
 * PostgreSQL: two pools of connections, one that writes and one that only reads. Every connection is checked before it is
 * used: a commit must have reached stable storage when it is answered, on whichever server the address leads to now.
 */
import { Kysely, sql, type Transaction } from 'kysely'
import { Pool, type ClientBase, type ClientConfig, type PoolClient } from 'pg'
import type { DatabaseOptions, DatabaseVerbs } from '../database.ts'
import { migrateToLatest } from '../migrate.ts'
import { migrations as ours } from '../migrations/index.ts'
import type { Tables } from '../tables.ts'
import { WaitingLine } from '../waiting-line.ts'
import { assertDurable } from './durability.ts'
import { Lane } from './lane.ts'
import { PortablePostgresDialect, portableTypes } from './postgres-dialect.ts'
import { isCollision } from './postgres-faults.ts'
import { Standing } from './standing.ts'

export interface PostgresDatabase extends DatabaseVerbs {
  readonly kind: 'postgres'
  /** Hears what is acknowledged; a database that lacks any of it is not used. */
  readonly standing: Standing
  /** The hot path: statements of its own that read. */
  readonly reading: Pool
  /** The hot path: connections of its own that write. What belongs together goes by the same one. */
  readonly lanes: readonly [Lane, ...Lane[]]
}

export interface PostgresOptions extends Omit<DatabaseOptions, 'path' | 'url'> {
  readonly url: string
}

const CONNECTIONS = { reading: 6, writing: 6 } as const

/** How often a transaction runs when others come between (F-10). */
const ATTEMPTS = 4

/** Waiting longer than this for a statement or a lock helps nobody; milliseconds. */
const PATIENCE = 'SET statement_timeout = 5000; SET lock_timeout = 2000; SET idle_in_transaction_session_timeout = 10000'
const READ_ONLY = 'SET default_transaction_read_only = on'

/** Connects, brings the schema up to date, and asserts that it is as durable as promised. */
export async function openPostgres({ url, migrations = ours, acceptDataLoss = false, folder }: PostgresOptions): Promise<PostgresDatabase> {
  const connection: ClientConfig = {
    connectionString: url,
    application_name: 'tacit',
    types: portableTypes,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
  }
  const standing = new Standing(folder)
  const prepare = async (client: ClientBase): Promise<void> => {
    if (!acceptDataLoss) await assertDurable(client)
    await standing.assertHasAll(client)
    await client.query(PATIENCE)
  }
  await migrate(connection, migrations, acceptDataLoss)
  const writing = openPool({ ...connection, max: CONNECTIONS.writing }, prepare)
  const reading = openPool({ ...connection, max: CONNECTIONS.reading }, async (client) => {
    await standing.assertHasAll(client)
    await client.query(`${READ_ONLY}; ${PATIENCE}`)
  })
  const newLane = () => new Lane({ connection, prepare })
  return new PostgresHouse({ standing, writing, reading, lanes: [newLane(), newLane()] })
}

/** On a connection without time limits: a migration may take long, and another server may be at it already. */
async function migrate(
  connection: ClientConfig,
  migrations: PostgresOptions['migrations'] & object,
  acceptDataLoss: boolean,
): Promise<void> {
  const pool = openPool({ ...connection, max: 1 }, (client) => (acceptDataLoss ? Promise.resolve() : assertDurable(client)))
  const kysely = new Kysely<Tables>({ dialect: new PortablePostgresDialect({ pool }) })
  try {
    await assertReachable(pool)
    await migrateToLatest(kysely, migrations)
  } finally {
    await pool.end()
  }
}

async function assertReachable(pool: Pool): Promise<void> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw cause instanceof Error && cause.message.startsWith('The database')
      ? cause
      : new Error('The database that TACIT_DATABASE names cannot be used. Check its address, and that it is running.', { cause })
  })
  client.release()
}

function openPool(config: ClientConfig & { max: number }, prepare: (client: PoolClient) => Promise<void>): Pool {
  const pool = new Pool({
    ...config,
    verify: (client, ready) => {
      prepare(client).then(
        () => ready(),
        (error: unknown) => ready(error instanceof Error ? error : new Error(String(error))),
      )
    },
  })
  // An idle connection that ends is replaced at its next use; there is nothing to do about it now.
  pool.on('error', () => undefined)
  // One that ends between two statements of a transaction has nobody else to tell; the next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

class PostgresHouse implements PostgresDatabase {
  readonly kind = 'postgres'
  readonly kysely: Kysely<Tables>
  readonly standing: Standing
  readonly reading: Pool
  readonly lanes: PostgresDatabase['lanes']
  readonly #writing: Kysely<Tables>
  readonly #pool: Pool
  readonly #waiting = new WaitingLine()
  readonly #underWay = new Set<Promise<unknown>>()
  #closed = false

  constructor({ standing, writing, reading, lanes }: Pick<PostgresDatabase, 'standing' | 'reading' | 'lanes'> & { writing: Pool }) {
    this.standing = standing
    this.reading = reading
    this.lanes = lanes
    this.#pool = writing
    this.kysely = new Kysely<Tables>({ dialect: new PortablePostgresDialect({ pool: reading }) })
    this.#writing = new Kysely<Tables>({ dialect: new PortablePostgresDialect({ pool: writing }) })
  }

  async write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the database is closed')
    const attempts = this.#waiting.join(() => this.#attempt(work))
    this.#underWay.add(attempts)
    try {
      return await attempts
    } finally {
      this.#underWay.delete(attempts)
    }
  }

  async #attempt<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#writing.transaction().execute(work)
      } catch (error) {
        if (attempt === ATTEMPTS || !isCollision(error)) throw error
      }
    }
  }

  acknowledged({ conversation, seq }: Parameters<PostgresDatabase['acknowledged']>[0]): void {
    this.standing.acknowledged(conversation, seq)
  }

  /** PostgreSQL looks at each page as it reads it, if the cluster was made with data checksums. */
  structure(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  /** Writes a row that nobody reads: a server that only reads, or whose disk is full, cannot. */
  async healthy(): Promise<boolean> {
    try {
      await this.write((tx) => sql`update kysely_migration_lock set is_locked = is_locked`.execute(tx))
      await sql`select 1`.execute(this.kysely)
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([Promise.allSettled(this.#underWay), ...this.lanes.map((lane) => lane.close())])
    await Promise.all([this.reading.end(), this.#pool.end()])
    this.standing.close()
  }
}
