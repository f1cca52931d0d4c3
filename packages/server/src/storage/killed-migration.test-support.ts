/** Runs in a child process: stops in the middle of a migration and waits to be killed. */
import { sql } from 'kysely'
import { openDatabase } from './database.ts'
import { migrations } from './migrations/index.ts'

const never = new Promise<never>(() => setInterval(() => undefined, 60_000))

await openDatabase({
  path: process.argv[2] ?? '',
  url: process.argv[3] ?? '',
  migrations: {
    ...migrations,
    '9999-slow': {
      async up(db) {
        await sql`create table half (n integer)`.execute(db)
        process.send?.('midway')
        await never
      },
    },
  },
})
