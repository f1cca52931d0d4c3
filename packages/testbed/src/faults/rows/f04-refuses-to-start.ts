/** F-04: a server whose database, secrets or settings are broken says so and ends; it never "repairs" by deleting. */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startServerProcess } from '../../server-process.ts'
import type { Row } from '../row.ts'

interface Break {
  readonly name: string
  breaks(folder: string): void
  readonly environment?: Readonly<Record<string, string>>
}

const breaks: readonly Break[] = [
  { name: 'a database that is none', breaks: (folder) => writeFileSync(join(folder, 'tacit.sqlite'), 'x'.repeat(8192)) },
  { name: 'a database of which half is missing', breaks: (folder) => truncateSync(join(folder, 'tacit.sqlite'), 20_480) },
  { name: 'secrets that are cut off', breaks: (folder) => truncateSync(join(folder, 'secrets.json'), 20) },
  {
    name: 'a schema of a later version',
    breaks(folder) {
      const sqlite = new DatabaseSync(join(folder, 'tacit.sqlite'))
      sqlite.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '2999-01-01')")
      sqlite.close()
    },
  },
  { name: 'a setting that is none', breaks: () => undefined, environment: { TACIT_PORT: 'eighty' } },
]

export const refusesToStart: Row = {
  id: 'F-04',
  name: 'a broken database, broken secrets, wrong settings',
  short: breaks.length,
  long: breaks.length * 4,
  async run(injections) {
    await using held = new AsyncDisposableStack()
    const whole = await startServerProcess({ environment: { TACIT_LOG_LEVEL: 'silent' } })
    held.defer(() => whole.dispose())
    await whole.stop()
    const problems: string[] = []
    for (let at = 0; at < injections; at++) {
      const how = breaks[at % breaks.length]
      if (how) problems.push(...(await startBroken(whole.dataDir, how)))
    }
    return { injections, acknowledged: 0, violations: problems.map((says) => ({ id: 'row', says })), figures: [] }
  },
}

async function startBroken(whole: string, { name, breaks: damage, environment = {} }: Break): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-broken-'))
  try {
    cpSync(whole, folder, { recursive: true })
    damage(folder)
    const before = contentOf(folder)
    const said = await startServerProcess({ environment: { TACIT_DATA_DIR: folder, TACIT_LOG_LEVEL: 'silent', ...environment } }).then(
      async (server) => {
        await server.dispose()
        return undefined
      },
      (error: unknown) => String(error),
    )
    if (said === undefined) return [`the server starts with ${name}`]
    if (/TypeError|at .*\.ts:\d/.test(said)) return [`with ${name} the server has no words: ${said.slice(0, 300)}`]
    return contentOf(folder) === before ? [] : [`with ${name} the server changed what it could not read`]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of what must be kept; the lock and the log of the database come and go. */
function contentOf(folder: string): string {
  const hash = createHash('sha256')
  const kept = readdirSync(folder).filter((name) => ['tacit.sqlite', 'secrets.json'].includes(name))
  for (const name of kept.toSorted()) hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}
