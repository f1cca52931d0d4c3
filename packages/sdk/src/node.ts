/** The SDK in Node: a device with a SQLite file, ready to use. For scripts, bots and the terminal client. */
import type { MlsEngine } from '@tacit/mls'
import type { IncomingMessage, Messenger } from './api.ts'
import { openEngine } from './engine.ts'
import { openMemoryStore, openNodeStore } from './local-store/node-sqlite.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { openMessenger, type MessengerOptions } from './messenger.ts'
import { MessageStream } from './message-stream.ts'

export * from './index.ts'
export { openMemoryStore, openNodeStore, openStoreOn } from './local-store/node-sqlite.ts'

export interface DeviceOptions extends Omit<MessengerOptions, 'store' | 'reopenStore' | 'engine' | 'onMessages'> {
  /** Path of the database, or `:memory:`; or an open store. */
  readonly store: string | StoreDriver
  readonly engine?: MlsEngine
}

export interface NodeDevice extends Messenger {
  /**
   * Messages as they arrive from now on, own accepted ones included (`mine`). Bounded: a reader that falls more than
   * 10,000 behind loses the oldest, which are in the timeline.
   */
  incoming(): AsyncIterableIterator<IncomingMessage>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a device.
 *
 *     await using alice = await openDevice({ server: 'http://localhost:8080', store: './alice.db' })
 *     await alice.signUp({ handle: 'alice', password: 'correct horse battery' })
 */
export async function openDevice({ store, engine, ...options }: DeviceOptions): Promise<NodeDevice> {
  const streams = new Set<MessageStream>()
  const messenger = await openMessenger({
    ...options,
    engine: engine ?? (await openEngine()),
    store: typeof store === 'string' ? await openStore(store) : store,
    ...(typeof store === 'string' && { reopenStore: () => openStore(store) }),
    onMessages: (messages) => streams.forEach((stream) => stream.push(messages)),
  })
  const close = async () => {
    for (const stream of streams) stream.end()
    await messenger.close()
  }
  return {
    ...messenger,
    close,
    [Symbol.asyncDispose]: close,
    incoming() {
      const stream = new MessageStream(() => streams.delete(stream))
      streams.add(stream)
      return stream.iterate()
    },
  }
}

const openStore = async (path: string): Promise<StoreDriver> => (path === ':memory:' ? openMemoryStore() : openNodeStore({ path }))
