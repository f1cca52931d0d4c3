/** What the rooms of a signed-in device share: who it is, where it stores, whom it asks, and whom it tells. */
import type { AccountId, BodyOf, Certificates, CommandName, ConversationId, DeviceId, ResultOf } from '@tacit/contract'
import type { LeafIdentity, MlsEngine } from '@tacit/mls'
import type { IncomingMessage } from './api.ts'
import type { Session } from './connection/session.ts'
import type { Attendance } from './conversations/attendance.ts'
import type { Conversations } from './conversations/held.ts'
import type { People } from './devices/people.ts'
import type { Duties } from './duties.ts'
import type { ReadingMarker } from './inbox/marker.ts'
import type { StoreDriver } from './local-store/driver.ts'
import type { Surroundings } from './surroundings.ts'

/** The socket, as the rooms use it. */
export interface Wire {
  readonly isOnline: boolean
  send<N extends CommandName>(name: N, body: BodyOf<N>): Promise<ResultOf<N>>
}

/** `elsewhere`: true in another conversation, which existed already. */
export type Decided =
  | { readonly kind: 'true' }
  | { readonly kind: 'elsewhere'; readonly conversation: ConversationId }
  | { readonly kind: 'never'; readonly why: unknown }

export interface DeviceCore extends Surroundings {
  readonly account: AccountId
  readonly device: DeviceId
  readonly identity: LeafIdentity
  readonly engine: MlsEngine
  readonly store: StoreDriver
  readonly session: Session
  readonly wire: Wire
  readonly certificates: Certificates
  readonly people: People
  readonly conversations: Conversations
  readonly marker: ReadingMarker
  readonly attendance: Pick<Attendance, 'returned'>
  readonly duties: Duties
  /** There may be something to send in this conversation. */
  readonly wake: (conversation: ConversationId) => void
  /** What became of an intent; without `outcome` it is true now. */
  readonly decided: (intent: number, outcome?: Decided) => void
  /** Everything up to here is on disk: the server may forget it. */
  readonly acknowledge: (conversation: ConversationId, seq: number) => void
  /** Received and kept back up to here, until it is known whether it is for this device. */
  readonly withhold: (conversation: ConversationId, seq: number) => void
  /** It was not: what was kept back is passed over. */
  readonly release: (conversation: ConversationId) => void
  /** Somebody had no other key package of this device left: a new last resort is due. */
  readonly lastResortUsed: () => void
  /** Heads of the log of device lists came in messages, and are stored. */
  readonly headsHeard: () => void
  /** Something was noted among the vault's `people`, in a transaction of another room. */
  readonly noted: () => void
  /** A batch of the log is on disk. */
  readonly received: (conversation: ConversationId, messages: readonly IncomingMessage[]) => void
}
