/** Refuses a PostgreSQL that would answer a commit before it is on stable storage, or lose it in a crash. */
import type { ClientBase } from 'pg'

/** What must hold; `remote_apply` waits for even more than `on`. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_apply'],
}

/** Throws a sentence that names the setting. */
export async function assertDurable(client: Pick<ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>('SELECT name, setting FROM pg_settings WHERE name = ANY($1)', [
    Object.keys(REQUIRED),
  ])
  for (const [name, allowed] of Object.entries(REQUIRED)) {
    const setting = rows.find((row) => row.name === name)?.setting ?? 'unknown'
    if (!allowed.includes(setting)) {
      throw new Error(
        `The database has ${name} = ${setting}; with it accepted messages could be lost. Set it to ${allowed[0]}, or accept the loss with TACIT_ACCEPT_DATA_LOSS.`,
      )
    }
  }
}
