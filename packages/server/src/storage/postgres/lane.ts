/**
 * A connection of the hot path's own, on which one piece of work runs after the other: its prepared statements stay, and
 * what belongs together never overtakes itself. It connects when it is first needed, and anew after it was lost.
 */
import { Client, type ClientConfig } from 'pg'

export interface LaneDeps {
  readonly connection: ClientConfig
  /** Checks a connection before its first use. */
  prepare(client: Client): Promise<void>
}

export class Lane {
  readonly #deps: LaneDeps
  #client: Promise<Client> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  /** Runs `work` after what was asked before. Each piece fails alone. */
  run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => work(await this.#connected()))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Resolves when what was asked so far is done. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Waits for what was asked, then disconnects. */
  async close(): Promise<void> {
    await this.#last
    this.#closed = true
    const client = await this.#client?.catch(() => undefined)
    await client?.end()
  }

  #connected(): Promise<Client> {
    if (this.#closed) throw new Error('the database is closed')
    this.#client ??= this.#connect()
    return this.#client
  }

  async #connect(): Promise<Client> {
    const client = new Client(this.#deps.connection)
    const lost = (): void => {
      this.#client = undefined
    }
    client.on('error', lost)
    client.on('end', lost)
    try {
      await client.connect()
      await this.#deps.prepare(client)
      return client
    } catch (error) {
      lost()
      await client.end().catch(() => undefined)
      throw error
    }
  }
}
