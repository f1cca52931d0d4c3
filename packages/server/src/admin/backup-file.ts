/**
 * What a backup is: one SQLite file with the tables of the installation, and in two tables of its own a manifest that says
 * what must be in it. The header carries a mark, and a CRC-32 of the whole file where SQLite keeps `user_version`, so every
 * changed bit is noticed; the manifest then says what it changed.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { z } from 'zod'

const Manifest = z.strictObject({
  version: z.literal(1),
  /** When the copy was begun, ISO 8601. */
  madeAt: z.string(),
  from: z.enum(['sqlite', 'postgres']),
  /** The schema: the migrations that had run. */
  migrations: z.array(z.string()),
  secrets: z.boolean(),
  conversations: z.number(),
  entries: z.number(),
  tables: z.array(z.strictObject({ name: z.string(), rows: z.number(), hash: z.string() })),
})
export type Manifest = z.output<typeof Manifest>

/** What is beside the tables of the installation. `secrets`: the text of secrets.json. */
export interface Extras {
  readonly manifest: Manifest
  readonly secrets: string | undefined
}

/** "TctB", SQLite's `application_id`. */
export const MARK = 0x54637442

/** Offsets in the header of the file (SQLite file format, section 1.3). */
const USER_VERSION_AT = 60
const CHUNK = 1 << 20

/** Writes the manifest, and next to it where each log stood: with it a log that lost its end can be told from one that was shorter. */
export function writeExtras(sqlite: DatabaseSync, { manifest, secrets }: Extras): void {
  sqlite.exec('CREATE TABLE tacit_backup (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  sqlite.exec('CREATE TABLE tacit_backup_head AS SELECT conversation, epoch, head FROM log')
  const put = sqlite.prepare('INSERT INTO tacit_backup (name, value) VALUES (?, ?)')
  const text = JSON.stringify(manifest)
  put.run('manifest', text)
  if (secrets !== undefined) put.run('secrets', secrets)
  put.run('seal', sealOf(text, secrets))
  sqlite.exec(`PRAGMA application_id = ${MARK}`)
}

/** Throws a sentence when they are not there or not as they were written. */
export function readExtras(sqlite: DatabaseSync): Extras {
  const rows = sqlite.prepare('SELECT name, value FROM tacit_backup').all()
  const value = (name: string): string | undefined => rows.find((row) => row['name'] === name)?.['value']?.toString()
  const [text, secrets] = [value('manifest') ?? '', value('secrets')]
  if (value('seal') !== sealOf(text, secrets)) throw new Error('The manifest or the secrets are not as they were written.')
  const manifest = Manifest.safeParse(JSON.parse(text))
  if (!manifest.success) throw new Error('The manifest is of another version of this program.')
  return { manifest: manifest.data, secrets }
}

export const dropExtras = (sqlite: DatabaseSync): void =>
  sqlite.exec('DROP TABLE tacit_backup; DROP TABLE tacit_backup_head; PRAGMA application_id = 0; PRAGMA user_version = 0')

const sealOf = (manifest: string, secrets: string | undefined): string =>
  createHash('sha256')
    .update(`${manifest}\0${secrets ?? ''}`)
    .digest('hex')

/** The last thing that is written to a backup. */
export function sealFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, asBytes(checksumOf(file)), 0, 4, USER_VERSION_AT)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** `foreign`: no backup at all, as far as its first bytes tell. */
export function inspectFile(path: string): 'whole' | 'changed' | 'foreign' {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(100)
    readSync(file, header, 0, 100, 0)
    const isWhole = header.readUInt32BE(USER_VERSION_AT) === checksumOf(file)
    if (isWhole && header.readUInt32BE(68) === MARK) return 'whole'
    // One damaged byte in its mark does not make a backup anything else.
    return header.toString('latin1', 0, 15) === 'SQLite format 3' || header.readUInt32BE(68) === MARK ? 'changed' : 'foreign'
  } finally {
    closeSync(file)
  }
}

/** Of the whole file, its own four bytes taken as zero. */
function checksumOf(file: number): number {
  const chunk = Buffer.alloc(CHUNK)
  let sum = 0
  for (let at = 0; ;) {
    const size = readSync(file, chunk, 0, CHUNK, at)
    if (size === 0) return sum
    if (at === 0) chunk.fill(0, USER_VERSION_AT, USER_VERSION_AT + 4)
    sum = crc32(chunk.subarray(0, size), sum)
    at += size
  }
}

function asBytes(sum: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(sum)
  return bytes
}
