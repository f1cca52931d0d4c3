/** The operator's commands: `npm run admin -- <command>`. Settings are those of the server. */
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { systemRandom } from '../random.ts'
import { readSettings, type Settings } from '../settings.ts'
import type { Manifest } from './backup-file.ts'
import { makeBackup } from './backup.ts'
import { migrateDatabase } from './migrate-database.ts'
import { recoverAccount } from './recover.ts'
import { restoreBackup } from './restore.ts'
import type { TableSummary } from './tables.ts'
import { verifyBackup } from './verify-backup.ts'
import { acknowledgedFile } from '../storage/postgres/standing.ts'

interface Command {
  /** What follows its name. */
  readonly usage: string
  /** One sentence, for people. */
  readonly help: string
  /** Returns what to print. Throws a sentence. */
  run(settings: Settings, args: readonly string[]): Promise<string>
}

const commands: Readonly<Record<string, Command>> = {
  'migrate-database': {
    usage: '',
    help: 'Copies the SQLite database in TACIT_DATA_DIR into the empty PostgreSQL database TACIT_DATABASE, and compares both.',
    async run(settings) {
      const tables = await migrateDatabase(settings)
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      return [
        ...tableLines(tables),
        `Copied and compared: ${tables.length} tables, ${rows} rows. Start the server with TACIT_DATABASE from now on.`,
      ].join('\n')
    },
  },
  'accept-lost-entries': {
    usage: '',
    help: 'The PostgreSQL database lacks entries that were acknowledged, and the server refuses it: serve what there is from now on.',
    run: (settings) => {
      if (settings.dataDir === ':memory:') throw new Error('A server without a data folder accepts the loss by being started anew.')
      const file = acknowledgedFile(resolve(settings.dataDir))
      if (!existsSync(file)) throw new Error('This server has acknowledged nothing that it could miss.')
      rmSync(file)
      return Promise.resolve(
        'What was acknowledged is forgotten. People’s devices notice what is missing, say so, and offer their own again.',
      )
    },
  },
  backup: {
    usage: '<file> [--without-secrets]',
    help: 'Writes everything into one file, while the server runs. Whoever has it and the secrets has the installation: keep it safe.',
    async run(settings, args) {
      const path = fileOf(args)
      const manifest = await makeBackup({ settings, clock: systemClock, path, withSecrets: !args.includes('--without-secrets') })
      return `${describe(manifest)}\nWritten and verified: ${path}`
    },
  },
  verify: {
    usage: '<file>',
    help: 'Says whether a backup is whole, and if not, what is wrong with it.',
    async run(_, args) {
      const { manifest, findings } = await verifyBackup(fileOf(args))
      if (findings.length > 0 || !manifest) throw new Error(findings.join('\n'))
      return `${describe(manifest)}\nThe backup is whole.`
    },
  },
  restore: {
    usage: '<file> [--replace]',
    help: 'Makes an installation from a backup, with the settings of now; the server must be stopped. --replace: also where one is.',
    async run(settings, args) {
      const { manifest, aside } = await restoreBackup({
        settings,
        clock: systemClock,
        path: fileOf(args),
        replace: args.includes('--replace'),
      })
      return [describe(manifest), ...(aside ? [`What was there before is in ${aside}.`] : []), 'Restored. Start the server.'].join('\n')
    },
  },
  recover: {
    usage: '<handle>',
    help: 'Makes a code, good once and for 24 hours, with which somebody who lost every way to sign in begins anew. Give it to nobody else.',
    async run(settings, args) {
      const [handle, ...more] = args
      if (handle === undefined || more.length > 0) throw new Error('Name one handle.')
      const code = await recoverAccount({ settings, clock: systemClock, random: systemRandom, handle })
      return [
        `Code for ${handle}: ${code}`,
        'It works once, for 24 hours. Its owner chooses "I cannot open my account" when signing in, and gets a new key:',
        'messages and contacts of before are not given back, and everybody who talks to them sees that the key changed.',
      ].join('\n')
    },
  },
}

const [name = 'help', ...args] = process.argv.slice(2)
const command = commands[name]
if (!command) {
  const list = Object.entries(commands).map(([known, { usage, help }]) => `  ${known} ${usage}\n      ${help}`)
  process.stdout.write(`Commands:\n${list.join('\n')}\n`)
  process.exit(name === 'help' ? 0 : 1)
}
try {
  process.stdout.write(`${await command.run(readSettings(), args)}\n`)
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : ''
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${cause}\n`)
  process.exit(1)
}

function fileOf(given: readonly string[]): string {
  const [file, ...more] = given.filter((arg) => !arg.startsWith('--'))
  if (file === undefined || more.length > 0) throw new Error('Name one file.')
  return file
}

function describe({ madeAt, from, secrets, conversations, entries, tables }: Manifest): string {
  const facts = `Of ${madeAt}, from ${from}, ${secrets ? 'with' : 'without'} the server's secrets: ${conversations} conversations, ${entries} entries.`
  return [...tableLines(tables), facts].join('\n')
}

function tableLines(tables: readonly TableSummary[]): string[] {
  return tables.map(({ name: table, rows, hash }) => `${table.padEnd(24)}${String(rows).padStart(10)} rows   sha256 ${hash}`)
}
