/** A device of a small world: a messenger that can be restarted, with weather, and with words for what a test waits for. */
import type {
  Clock,
  ConversationDetails,
  ConversationId,
  ConversationSummary,
  Live,
  MessageState,
  Messenger,
  Timeline,
  TimelineItem,
} from '@tacit/sdk'
import { openDevice } from '@tacit/sdk/node'
import { until } from './until.ts'
import { Weather } from './weather.ts'

export interface WorldDevice extends Omit<Messenger, 'close'>, AsyncDisposable {
  readonly name: string
  readonly weather: Weather
  /** Ends the process of this device, so to speak, and opens its store again. */
  restart(): Promise<void>
  /** The texts of the messages in a conversation, once they are these. */
  sees(conversation: ConversationId, texts: readonly string[]): Promise<Timeline>
  /** The conversation with this title, once it is there and this device is in it. Its person takes it up, if somebody asked them in. */
  conversation(title: string): Promise<ConversationId>
  /** What waits for an answer, once it is so many. */
  requests(count: number): Promise<readonly ConversationSummary[]>
  /** The state of an own message in a conversation, once it is this. */
  messageBecomes(conversation: ConversationId, text: string, state: MessageState['kind']): Promise<Timeline>
  /** The details of a conversation, once they are as wanted. */
  details(conversation: ConversationId, are: (details: ConversationDetails) => boolean): Promise<ConversationDetails>
  /** Resolves when the device has caught up. */
  online(): Promise<void>
}

type Opened = Awaited<ReturnType<typeof openDevice>>

export async function openWorldDevice(made: { name: string; server: string; path: string; clock: Clock }): Promise<WorldDevice> {
  const { name, server, path, clock } = made
  const weather = new Weather()
  const open = () => openDevice({ server, store: path, network: weather, clock })
  let opened: Opened = await open()
  // Verbs go to the messenger that is open at that time, so that a test keeps its device over a restart.
  const device: WorldDevice = {
    ...forwarded(() => opened),
    name,
    weather,
    async restart() {
      await opened.close()
      opened = await open()
    },
    sees: (conversation, texts) => untilDefined(device.watch('timeline', conversation), (timeline) => sameTexts(timeline, texts)),
    messageBecomes: (conversation, text, state) =>
      untilDefined(device.watch('timeline', conversation), ({ items }) =>
        items.some((item) => item.kind === 'message' && item.text === text && item.state.kind === state),
      ),
    details: (conversation, are) => untilDefined(device.watch('details', conversation), are),
    async conversation(title) {
      const list = await untilDefined(device.watch('conversations'), (found) =>
        found.some((one) => one.title === title && one.standing === 'active'),
      )
      const found = list.find((one) => one.title === title && one.standing === 'active')
      if (!found) throw new Error('it was there a moment ago')
      if (found.request) await device.acceptRequest(found)
      return found.conversation
    },
    async requests(count) {
      const asked = (list: readonly ConversationSummary[]) => list.filter(({ request }) => request !== undefined)
      return asked(await untilDefined(device.watch('conversations'), (list) => asked(list).length === count))
    },
    async online() {
      await until(device.watch('connection'), ({ kind }) => kind === 'online')
    },
    [Symbol.asyncDispose]: () => opened.close(),
  }
  return device
}

/** A messenger whose every verb is looked up in the current one. */
function forwarded<M extends object>(current: () => M): M {
  const call = (verb: string, given: unknown[]): unknown => {
    const now: object = current()
    return Reflect.apply(Reflect.get(now, verb), now, given)
  }
  const verbs = Object.keys(current()).map((verb) => [verb, (...given: unknown[]) => call(verb, given)])
  return Object.fromEntries(verbs) as M
}

/** The notices of a timeline, in order, as short as they can be said. */
export const noticesOf = (items: readonly TimelineItem[]): readonly string[] =>
  items.flatMap((item) => {
    if (item.kind !== 'notice') return item.kind === 'unreadable' ? [`unreadable ${item.reason}`] : []
    const { notice } = item
    return ['person' in notice ? `${notice.kind} ${notice.person.handle}` : notice.kind]
  })

/** The words of the messages, in order. */
export const textsOf = (items: readonly TimelineItem[]): readonly string[] =>
  items.flatMap((item) => (item.kind === 'message' ? [item.text] : []))

const sameTexts = ({ items }: Timeline, texts: readonly string[]): boolean => JSON.stringify(textsOf(items)) === JSON.stringify(texts)

async function untilDefined<T>(live: Live<T | undefined>, is: (value: T) => boolean): Promise<T> {
  const value = await until(live, (now) => now !== undefined && is(now))
  if (value === undefined) throw new Error('undefined after all')
  return value
}
