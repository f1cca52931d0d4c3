/** Writes the history of a run (checker/history.ts) into a file, and the truth at its end from the database itself. */
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { checkHistory, type Report } from '../checker/checker.ts'
import type { FinalLine, HistoryLine, LogLine, Operation } from '../checker/history.ts'

/** A database to be read past the server: SQLite's file, or PostgreSQL's address. */
export type Truth = { readonly file: string } | { readonly url: string }

/** How much of the history waits in memory, in lines. */
const LINES = 512

export class Recorder {
  readonly #path: string
  readonly #file: number
  #lines: string[] = []

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'w')
  }

  /** The one clock of all processes of this machine, milliseconds. */
  now(): number {
    return Number(process.hrtime.bigint()) / 1e6
  }

  operation(operation: Omit<Operation, 't' | 'proc'>): void {
    this.#add({ t: this.now(), proc: String(process.pid), ...operation })
  }

  /** Ends the history with what is in the database, and has it checked. `outbox`: what a device still has to say. */
  async finish(truth: Truth, outbox: (device: string, conversation: string) => number): Promise<Report> {
    const { entries, places } = 'file' in truth ? fromSqlite(truth.file) : await fromPostgres(truth.url)
    for (const entry of entries) this.#add({ op: 'log', ...entry })
    for (const { to_seq, ...place } of places)
      this.#add({ op: 'final', ...place, ...(to_seq !== null && { to_seq }), outbox: outbox(place.device, place.conv) })
    this.#flush()
    closeSync(this.#file)
    return checkHistory(createReadStream(this.#path))
  }

  #add(line: HistoryLine): void {
    if (this.#lines.push(JSON.stringify(line)) >= LINES) this.#flush()
  }

  #flush(): void {
    if (this.#lines.length > 0) writeSync(this.#file, `${this.#lines.join('\n')}\n`)
    this.#lines = []
  }
}

type EntryRow = Omit<LogLine, 'op'>
type PlaceRow = Omit<FinalLine, 'op' | 'outbox' | 'to_seq'> & { readonly to_seq: number | null }

const ENTRIES = (hex: string, integer: string) =>
  `SELECT conversation AS conv, ${integer}(seq) AS seq, ${hex} AS hash, sender AS device, ${integer}(client_seq) AS client_seq, ${integer}(epoch) AS epoch, kind FROM entry ORDER BY conversation, seq`
const PLACES = (integer: string) =>
  `SELECT conversation AS conv, device, ${integer}(cursor) AS cursor, ${integer}(from_seq) AS from_seq, ${integer}(to_seq) AS to_seq FROM membership`

function fromSqlite(file: string): { entries: EntryRow[]; places: PlaceRow[] } {
  const sqlite = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = <Row>(text: string): Row[] => sqlite.prepare(text).all() as Row[]
    return { entries: rows(ENTRIES('lower(hex(hash))', '')), places: rows(PLACES('')) }
  } finally {
    sqlite.close()
  }
}

async function fromPostgres(url: string): Promise<{ entries: EntryRow[]; places: PlaceRow[] }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const entries = await client.query<EntryRow>(ENTRIES("encode(hash, 'hex')", 'float8'))
    const places = await client.query<PlaceRow>(PLACES('float8'))
    return { entries: entries.rows, places: places.rows }
  } finally {
    await client.end()
  }
}
