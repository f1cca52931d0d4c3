/**
 * The front door of a device: what a screen, a terminal or a script can see and do. Everything crosses a worker boundary
 * in the browser, so arguments and snapshots are plain data and every verb takes one object.
 *
 * Reading goes through `Live` values: `get()` returns the same object until something changed, so they fit React's
 * `useSyncExternalStore` as they are. A snapshot never shows what a reload would lose.
 */
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { ConversationDetails, ConversationSummary, Timeline } from './api/conversations.ts'
import type { LinkingState } from './api/devices.ts'
import type { HistoryState } from './api/history.ts'
import type { ConnectionState, SessionState, Trouble } from './api/standing.ts'
import type { Verbs } from './api/verbs.ts'

export * from './api/conversations.ts'
export * from './api/devices.ts'
export * from './api/failure.ts'
export * from './api/history.ts'
export * from './api/standing.ts'
export * from './api/trust.ts'
export * from './api/verbs.ts'

/** A current value and a way to hear that it changed. */
export interface Live<T> {
  get(): T
  /** Returns the way to stop listening. */
  subscribe(listener: () => void): () => void
}

/** What can be watched: topic to parameter and snapshot. `undefined` until the first snapshot, or when it does not exist. */
export interface Topics {
  session: { readonly param: undefined; readonly snapshot: SessionState }
  connection: { readonly param: undefined; readonly snapshot: ConnectionState }
  conversations: { readonly param: undefined; readonly snapshot: readonly ConversationSummary[] | undefined }
  timeline: { readonly param: ConversationId; readonly snapshot: Timeline | undefined }
  details: { readonly param: ConversationId; readonly snapshot: ConversationDetails | undefined }
  /** Devices that joined the account and that nobody at this one has said to know. */
  newDevices: { readonly param: undefined; readonly snapshot: readonly DeviceId[] | undefined }
  linking: { readonly param: undefined; readonly snapshot: LinkingState }
  /** Undefined until the server was asked. */
  history: { readonly param: undefined; readonly snapshot: HistoryState | undefined }
  /** Choices of this person, by name; undefined until they are known. */
  preferences: { readonly param: undefined; readonly snapshot: Readonly<Record<string, string>> | undefined }
  /** Undefined when all is well. */
  trouble: { readonly param: undefined; readonly snapshot: Trouble | undefined }
}

export type TopicName = keyof Topics

export interface Messenger extends Verbs {
  watch<T extends TopicName>(
    topic: T,
    ...param: Topics[T]['param'] extends undefined ? [] : [param: Topics[T]['param']]
  ): Live<Topics[T]['snapshot']>
  /** Releases everything; the device stays signed in. */
  close(): Promise<void>
}
