/** `verify <file>`: whether a backup is as it was made, and if not, what is wrong with it, in sentences. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { NodeSqliteDialect } from '../storage/sqlite/sqlite-dialect.ts'
import type { Tables } from '../storage/tables.ts'
import { inspectFile, readExtras, type Manifest } from './backup-file.ts'
import { summarise, tablesOf } from './tables.ts'

export interface Verdict {
  /** Missing when it cannot be read. */
  readonly manifest: Manifest | undefined
  /** One sentence each; none: it is whole. */
  readonly findings: readonly string[]
}

const MOST_NAMED = 20

const HARMLESS = 'All that a restore takes is whole: the change is in space that nothing uses, or in an index. Make a new backup.'

/** Reads all of it, changes nothing. */
export async function verifyBackup(path: string): Promise<Verdict> {
  if (!existsSync(path)) return { manifest: undefined, findings: [`There is no file ${path}.`] }
  const state = inspectFile(path)
  if (state === 'foreign') return { manifest: undefined, findings: ['This is no backup of Tacit, or its first page is destroyed.'] }
  const { manifest, findings } = await examine(path)
  if (state === 'whole') return { manifest, findings }
  return {
    manifest,
    findings: ['The file was changed since it was made: its checksum is another one.', ...(findings.length > 0 ? findings : [HARMLESS])],
  }
}

async function examine(path: string): Promise<Verdict> {
  let sqlite: DatabaseSync
  try {
    sqlite = new DatabaseSync(path, { readOnly: true })
  } catch (error) {
    return { manifest: undefined, findings: [`It cannot be opened: ${wordsOf(error)}.`] }
  }
  try {
    const extras = attempt('The manifest', () => readExtras(sqlite))
    const structure = attempt('The structure', () => checkStructure(sqlite))
    const manifest = extras.value?.manifest
    return {
      manifest,
      findings: [
        ...extras.findings,
        ...structure.findings,
        ...(structure.value ?? []),
        ...(manifest ? await compareTables(sqlite, manifest) : []),
        ...(attempt('The table entry', () => [...checkEntries(sqlite), ...checkHeads(sqlite)]).value ?? []),
      ],
    }
  } finally {
    sqlite.close()
  }
}

function checkStructure(sqlite: DatabaseSync): string[] {
  const said = sqlite.prepare(`PRAGMA integrity_check(${MOST_NAMED})`).all()
  return said.map((row) => String(row['integrity_check'])).flatMap((line) => (line === 'ok' ? [] : [`Structure: ${line}.`]))
}

async function compareTables(sqlite: DatabaseSync, manifest: Manifest): Promise<string[]> {
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(sqlite) })
  const known = attempt('The schema', () => tablesOf(sqlite))
  const findings = [...known.findings]
  for (const wanted of manifest.tables) {
    const table = known.value?.find(({ name }) => name === wanted.name)
    if (!table) {
      findings.push(`The table ${wanted.name} is missing; it had ${wanted.rows} rows.`)
      continue
    }
    try {
      const found = await summarise(db, table)
      if (found.rows !== wanted.rows) findings.push(`The table ${wanted.name} has ${found.rows} rows instead of ${wanted.rows}.`)
      else if (found.hash !== wanted.hash) findings.push(`The table ${wanted.name} has another content than when the backup was made.`)
    } catch (error) {
      findings.push(`The table ${wanted.name} cannot be read: ${wordsOf(error)}.`)
    }
  }
  return findings
}

/** Each entry names itself by its hash, so a changed one is found by itself. */
function checkEntries(sqlite: DatabaseSync): string[] {
  const findings: string[] = []
  for (const { conversation, seq, hash, bytes } of sqlite.prepare('SELECT conversation, seq, hash, bytes FROM entry').iterate()) {
    // Retention has removed these.
    if (bytes === null) continue
    const isSound = bytes instanceof Uint8Array && hash instanceof Uint8Array && createHash('sha256').update(bytes).digest().equals(hash)
    if (isSound) continue
    findings.push(`Entry ${String(seq)} of conversation ${String(conversation)} is not what its hash says.`)
    if (findings.length === MOST_NAMED) return findings
  }
  return findings
}

/** Where each log stood, against where it stands, and against its last entry. */
function checkHeads(sqlite: DatabaseSync): string[] {
  const rows = sqlite
    .prepare(
      `SELECT was.conversation, was.head AS was, log.head AS head, (SELECT seq FROM entry WHERE entry.conversation = was.conversation ORDER BY seq DESC LIMIT 1) AS last
       FROM tacit_backup_head AS was LEFT JOIN log ON log.conversation = was.conversation`,
    )
    .all()
  return rows.flatMap(({ conversation, was, head, last }) =>
    was === head && (last === null || last === head)
      ? []
      : [
          `Conversation ${String(conversation)} ends at ${String(last)} with head ${String(head)}; when the backup was made its head was ${String(was)}.`,
        ],
  )
}

function attempt<T>(what: string, work: () => T): { readonly value?: T; readonly findings: string[] } {
  try {
    return { value: work(), findings: [] }
  } catch (error) {
    return { findings: [`${what} cannot be read: ${wordsOf(error)}.`] }
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message.replace(/\.$/, '') : String(error))
