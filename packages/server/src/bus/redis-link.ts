/**
 * The line to Redis or Valkey: one connection for commands and one that listens. It connects when it can and again when it was
 * lost; nothing waits for it, and no command waits longer than a moment. What Redis holds may be gone at any time.
 */
import { createClient } from '@redis/client'

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string
  /** Begins every key and channel: several installations may share a Redis. */
  readonly prefix: string
  /** Hears when it came, and when it went. */
  onChange(up: boolean): void
}

/** Longer than this nobody waits for an answer, milliseconds. */
const PATIENCE = 500
const CONNECT_WITHIN = 2000
/** Silence after which the listening connection is taken for dead; it pings more often. */
const SILENCE = 3000
const PING_EVERY = 1000

type Client = ReturnType<typeof connection>

function connection(url: string, silence: number | undefined) {
  return createClient({
    url,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    pingInterval: PING_EVERY,
    // A command that could not even be written.
    commandOptions: { timeout: PATIENCE },
    commandsQueueMaxLength: 10_000,
    socket: {
      connectTimeout: CONNECT_WITHIN,
      ...(silence !== undefined && { socketTimeout: silence }),
      reconnectStrategy: (retries: number) => Math.min(1000, 50 * 2 ** Math.min(retries, 5)),
    },
  })
}

export class RedisLink {
  readonly prefix: string
  readonly #commands: Client
  readonly #listening: Client
  readonly #onChange: RedisLinkOptions['onChange']
  #wasUp = false

  constructor({ url, prefix, onChange }: RedisLinkOptions) {
    this.prefix = prefix
    this.#onChange = onChange
    this.#commands = connection(url, undefined)
    this.#listening = connection(url, SILENCE)
    for (const client of [this.#commands, this.#listening]) {
      for (const event of ['ready', 'error', 'end'] as const) client.on(event, () => this.#look())
      // It goes on trying by itself; it only ends with `close`.
      client.connect().catch(() => undefined)
    }
  }

  get isUp(): boolean {
    return this.#commands.isReady && this.#listening.isReady
  }

  /** Runs commands; rejects when there is no connection, or no answer within a moment. What was sent may still be done. */
  async ask<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('Redis does not answer')), PATIENCE)
    try {
      const asked = work(this.#commands)
      // When the moment is over first, what becomes of it is nobody's business any more.
      asked.catch(() => undefined)
      return await Promise.race([asked, tooLate])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Listens from now on, also after the connection was lost and came back. */
  listen(channel: string, listener: (message: Uint8Array) => void): void {
    const subscribe = (): void => {
      // Later connections subscribe by themselves to what the first one did.
      if (!this.#listening.isPubSubActive)
        this.#listening.subscribe(channel, (message: Buffer) => listener(message), true).catch(() => undefined)
    }
    this.#listening.on('ready', subscribe)
    if (this.#listening.isReady) subscribe()
  }

  close(): void {
    for (const client of [this.#commands, this.#listening]) {
      client.removeAllListeners('ready')
      if (client.isOpen) client.destroy()
    }
  }

  #look(): void {
    if (this.isUp === this.#wasUp) return
    this.#wasUp = this.isUp
    this.#onChange(this.#wasUp)
  }
}
