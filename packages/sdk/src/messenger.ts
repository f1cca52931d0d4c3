/**
 * The front door: `openMessenger` opens a device where it was left, or signed out. Behind it a `Device` works while
 * somebody is signed in; in front of it are verbs and values to watch (api.ts).
 */
import type { DeviceId } from '@tacit/contract'
import type { MlsEngine } from '@tacit/mls'
import type { IncomingMessage, Live, Messenger, TopicName, Topics } from './api.ts'
import { Door, type DoorParts } from './door.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { platformClock, platformNetwork, platformRandom, type Clock, type Network, type Random } from './surroundings.ts'
import { asMessengerError } from './trouble.ts'
import { conversationVerbs } from './verbs.ts'
import type { Views } from './views.ts'

export interface MessengerOptions {
  /** Origin of the server, e.g. `https://chat.example.org`. */
  readonly server: string
  /** An open store, empty or as a messenger left it. The messenger closes it. */
  readonly store: StoreDriver
  /** Opens an empty store after signing out has erased the first; without it, signing in again takes a new messenger. */
  readonly reopenStore?: () => Promise<StoreDriver>
  /** The device that was here before its store was lost: one that signs in to the same account takes its place on the list. */
  readonly replaces?: () => DeviceId | undefined
  readonly engine: MlsEngine
  readonly clock?: Clock
  readonly random?: Random
  readonly network?: Network
  /** Told of messages after they are stored, in the order of each log; own ones included once they are accepted. */
  readonly onMessages?: (messages: readonly IncomingMessage[]) => void
}

/** Opens the messenger of one device. Rejects with `MessengerError` `storage` when the store cannot be used. */
export async function openMessenger(options: MessengerOptions): Promise<Messenger> {
  const { clock = platformClock, random = platformRandom, network = platformNetwork } = options
  const parts: DoorParts = {
    server: { url: options.server.replace(/\/+$/, ''), network },
    store: options.store,
    reopenStore: options.reopenStore,
    replaces: options.replaces ?? (() => undefined),
    engine: options.engine,
    surroundings: { clock, random, network },
    arrived: options.onMessages ?? (() => undefined),
  }
  const door = new Door(parts)
  const messenger = {
    ...guarded({ ...door.verbs, ...conversationVerbs(() => door.mustBeSignedIn()), close: () => door.close() }),
    watch: <T extends TopicName>(topic: T, ...param: Topics[T]['param'] extends undefined ? [] : [param: Topics[T]['param']]) =>
      watch(door.views, topic, param[0]) as Live<Topics[T]['snapshot']>,
  }
  await guarded({ open: () => door.open() }).open()
  return messenger
}

/** The one place where a topic's name and the type of its snapshot meet. */
function watch(views: Views, topic: TopicName, param: Topics[TopicName]['param']): Live<unknown> {
  switch (topic) {
    case 'session':
    case 'connection':
    case 'conversations':
    case 'newDevices':
    case 'linking':
    case 'history':
    case 'trouble':
    case 'preferences':
      return views[topic]
    case 'timeline':
    case 'details':
      if (param === undefined) throw new TypeError(`${topic} of which conversation?`)
      return topic === 'timeline' ? views.timeline(param) : views.details(param)
  }
}

/** Verbs that reject with `MessengerError` and nothing else. */
function guarded<T extends Readonly<Record<string, (request: never) => Promise<unknown>>>>(verbs: T): T {
  const entries = Object.entries(verbs).map(([name, verb]) => [name, guard(verb)])
  return Object.fromEntries(entries) as T
}

const guard =
  (verb: (request: never) => Promise<unknown>) =>
  async (request: never): Promise<unknown> => {
    try {
      return await verb(request)
    } catch (error) {
      throw asMessengerError(error)
    }
  }
