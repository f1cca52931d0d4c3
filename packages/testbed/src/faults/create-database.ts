/** The database of a server on a fresh PostgreSQL. */
import { Client } from 'pg'
import type { PostgresServer } from '../postgres-process.ts'

export async function createDatabase(postgres: PostgresServer): Promise<void> {
  const client = new Client({ connectionString: postgres.url('postgres') })
  await client.connect()
  await client.query('CREATE DATABASE tacit')
  await client.end()
}
