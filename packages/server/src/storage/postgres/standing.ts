/**
 * Whether the PostgreSQL that answers now has everything that this server acknowledged (F-07). A standby that was behind and took
 * over, or a copy that was put back, has lost the end: a server that went on would give the same places in the logs out a second
 * time. What was acknowledged last is remembered outside of the database, compared on each new connection, and a database that
 * lacks any of it is refused until the operator says that the loss is known.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientBase } from 'pg'

/** Logs whose heads are remembered: those that were written to last. */
const REMEMBERED = 256

/** How often what is remembered is written down, milliseconds. */
const WRITTEN_EVERY = 1000

const FILE = 'acknowledged.json'

export const LOST =
  'The database lacks entries that were acknowledged: it is an older copy, or a standby that was behind. Bring back the one that has them; or accept the loss with `npm run admin -- accept-lost-entries`.'

export class Standing {
  /** The newest place of each log that somebody was told, the one told last at the end. */
  readonly #heads = new Map<string, number>()
  readonly #path: string | undefined
  #timer: NodeJS.Timeout | undefined

  /** `folder`: where it is written down; without one it is remembered as long as the process lives. */
  constructor(folder: string | undefined) {
    this.#path = folder && join(folder, FILE)
    for (const [conversation, seq] of this.#written()) this.#heads.set(conversation, seq)
  }

  /** Somebody is about to be told. */
  acknowledged(conversation: string, seq: number): void {
    const before = this.#heads.get(conversation) ?? 0
    this.#heads.delete(conversation)
    this.#heads.set(conversation, Math.max(before, seq))
    for (const oldest of this.#heads.keys()) {
      if (this.#heads.size <= REMEMBERED) break
      this.#heads.delete(oldest)
    }
    if (this.#path) this.#timer ??= setTimeout(() => this.#write(), WRITTEN_EVERY).unref()
  }

  /** Throws a sentence when the database lacks something. */
  async assertHasAll(client: Pick<ClientBase, 'query'>): Promise<void> {
    if (this.#heads.size === 0) return
    // The operator may have said meanwhile that the loss is known.
    if (this.#path && !existsSync(this.#path) && this.#timer === undefined) return this.#heads.clear()
    // What is acknowledged while the database answers is not in its answer.
    const asked = new Map(this.#heads)
    const { rows } = await client.query<{ conversation: string; head: string | number }>(
      'SELECT conversation, head FROM log WHERE conversation = ANY($1)',
      [[...asked.keys()]],
    )
    const heads = new Map(rows.map(({ conversation, head }) => [conversation, Number(head)]))
    for (const [conversation, seq] of asked) if ((heads.get(conversation) ?? 0) < seq) throw new Error(LOST)
  }

  close(): void {
    if (this.#timer !== undefined) this.#write()
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#path) return
    writeFileSync(`${this.#path}.new`, JSON.stringify([...this.#heads]), { mode: 0o600 })
    renameSync(`${this.#path}.new`, this.#path)
  }

  #written(): readonly (readonly [string, number])[] {
    if (!this.#path || !existsSync(this.#path)) return []
    try {
      const read: unknown = JSON.parse(readFileSync(this.#path, 'utf8'))
      return Array.isArray(read) ? read.filter(isPlace) : []
    } catch {
      // Torn by a power cut: the database alone is believed, as before there was this file.
      return []
    }
  }
}

/** What the operator's command forgets. */
export const acknowledgedFile = (folder: string): string => join(folder, FILE)

const isPlace = (value: unknown): value is readonly [string, number] =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number'
