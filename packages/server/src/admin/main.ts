/** The operator's commands: `npm run admin -- <command>`. Settings are those of the server. */
import { readSettings, type Settings } from '../settings.ts'
import { migrateDatabase } from './migrate-database.ts'

interface Command {
  /** One sentence, for people. */
  readonly help: string
  /** Returns what to print. Throws a sentence. */
  run(settings: Settings): Promise<string>
}

const commands: Readonly<Record<string, Command>> = {
  'migrate-database': {
    help: 'Copies the SQLite database in TACIT_DATA_DIR into the empty PostgreSQL database TACIT_DATABASE, and compares both.',
    async run(settings) {
      const tables = await migrateDatabase(settings)
      const lines = tables.map(({ name, rows, hash }) => `${name.padEnd(24)}${String(rows).padStart(10)} rows   sha256 ${hash}`)
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      return [
        ...lines,
        `Copied and compared: ${tables.length} tables, ${rows} rows. Start the server with TACIT_DATABASE from now on.`,
      ].join('\n')
    },
  },
}

const [name = 'help'] = process.argv.slice(2)
const command = commands[name]
if (!command) {
  const list = Object.entries(commands).map(([known, { help }]) => `  ${known}\n      ${help}`)
  process.stdout.write(`Commands:\n${list.join('\n')}\n`)
  process.exit(name === 'help' ? 0 : 1)
}
try {
  process.stdout.write(`${await command.run(readSettings())}\n`)
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${cause}\n`)
  process.exit(1)
}
