/** What is seen of conversations: the list, the timeline with its messages and notices, the people in them. */
import type { AccountId, ConversationId, ConversationKind, FailureName, MessageId } from '@tacit/contract'
import type { Person } from './standing.ts'

/**
 * sending: in the outbox · accepted: on the server's stable storage · delivered: a device of every other person has it ·
 * read: every other person has read it · failed: refused for good; the text is kept.
 */
export type MessageState =
  | { readonly kind: 'sending' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'read' }
  | { readonly kind: 'failed'; readonly reason: FailureName | 'left' | 'internal' }

/** What a line in the timeline that is no message tells. */
export type Notice =
  | { readonly kind: 'created'; readonly by: Person }
  | { readonly kind: 'joined'; readonly person: Person; readonly by: Person }
  | { readonly kind: 'removed'; readonly person: Person; readonly by: Person }
  | { readonly kind: 'left'; readonly person: Person }
  | { readonly kind: 'renamed'; readonly title: string; readonly by: Person }
  | { readonly kind: 'role_changed'; readonly person: Person; readonly role: Role; readonly by: Person }
  | { readonly kind: 'device_joined'; readonly person: Person }
  | { readonly kind: 'device_removed'; readonly person: Person }
  /** The account key of somebody changed: cannot be missed, cannot be dismissed. */
  | { readonly kind: 'identity_changed'; readonly person: Person }
  /** Here it goes on, or from there: by the word of that member, who made the new one. */
  | { readonly kind: 'continued'; readonly by: Person; readonly conversation: ConversationId }
  | { readonly kind: 'continues'; readonly by: Person; readonly conversation: ConversationId }
  /** This device begins here; what was written before is not on it. */
  | { readonly kind: 'history_begins' }
  /** The server shows different logs (`fork`) or different keys (`key_log`) to different people, dropped or reordered something, or lost the end of a log (`rollback`). */
  | { readonly kind: 'tampering'; readonly what: 'fork' | 'gap' | 'replay' | 'key_log' | 'rollback' }

/** A notice with people by account. */
export type NoticeOfAccounts = { readonly [N in Notice as N['kind']]: OfAccounts<N> }[Notice['kind']]

type OfAccounts<N> = { readonly [F in keyof N]: N[F] extends Person ? AccountId : N[F] }

export type UnreadableReason = 'malformed' | 'unsupported' | 'auth_failed' | 'policy' | 'duplicate' | 'stale_epoch' | 'unknown'

export type TimelineItem =
  | {
      readonly kind: 'message'
      /** Stable across states; a React key. */
      readonly key: string
      readonly message: MessageId
      readonly sender: Person
      readonly mine: boolean
      readonly text: string
      /** Milliseconds since 1970: by the server's clock once accepted, by ours before. */
      readonly time: number
      /** Position in the log; absent until accepted. */
      readonly seq?: number
      readonly state: MessageState
    }
  | { readonly kind: 'notice'; readonly key: string; readonly time: number; readonly seq?: number; readonly notice: Notice }
  | {
      readonly kind: 'unreadable'
      readonly key: string
      readonly time: number
      readonly seq: number
      readonly sender?: Person
      readonly reason: UnreadableReason
    }

export interface Timeline {
  /** Oldest first. Accepted ones in seq order, then own ones that wait. */
  readonly items: readonly TimelineItem[]
  readonly hasEarlier: boolean
  /** `key` of the first item that was unread when the timeline was opened. */
  readonly firstUnread?: string
  /** Others who are typing now. */
  readonly typing: readonly Person[]
}

export type Role = 'admin' | 'member'

/**
 * active · joining: a commit is on its way · left · removed: by somebody else · paused: a commit could not be processed, repair is
 * under way · stuck: a commit broke the rules of membership and the server passed it on; a person may begin anew (`startAnew`).
 */
export type ConversationStanding = 'active' | 'joining' | 'left' | 'removed' | 'paused' | 'stuck'

/** Somebody who is to go and is not gone: they read what is written until the log has their removal. */
export interface WaitingRemoval {
  readonly person: Person
  /** When this device asked for it (ms). */
  readonly asked: number
  /** Not in the log although this device was connected for a minute: the server may be keeping it back. */
  readonly late: boolean
}

export interface ConversationSummary {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  /** The group's title, or what the other person is called here. */
  readonly title: string
  readonly standing: ConversationStanding
  /** The other person of a direct conversation. */
  readonly peer?: Person
  /** Only for a direct conversation, and only when both share presence. */
  readonly peerOnline?: boolean
  /** Only for a direct conversation: the person's key was compared by another way. */
  readonly peerCompared?: boolean
  readonly people: number
  readonly unread: number
  /** Milliseconds; the list is ordered by it, newest first. */
  readonly lastActivity: number
  readonly last?: {
    readonly preview: string
    readonly sender?: Person
    readonly mine: boolean
    readonly time: number
    readonly state?: MessageState
  }
  readonly typing: readonly Person[]
  /** Typed on one of the own devices and not sent. */
  readonly draft?: string
  /** Only for a direct conversation: the person is blocked. */
  readonly peerBlocked?: boolean
  /** Absent when there are none. */
  readonly removals?: readonly WaitingRemoval[]
  /** Of one that is stuck: where it goes on, by the newest word of a member. */
  readonly continuedIn?: ConversationId
  /**
   * Somebody whom this person never took up brought them in, and they have not answered: until they do, nobody learns what this
   * device has received or what was read. `by` is absent when no own device saw who it was.
   */
  readonly request?: { readonly by?: Person }
}

export interface ConversationMember extends Person {
  readonly role: Role
  readonly me: boolean
  /** Absent unless both share presence. */
  readonly online?: boolean
  readonly devices: number
  /** Their account key was compared by another way, and is the same since. */
  readonly compared: boolean
  readonly blocked: boolean
}

export interface ConversationDetails {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly title: string
  readonly standing: ConversationStanding
  readonly members: readonly ConversationMember[]
  readonly removals: readonly WaitingRemoval[]
  readonly can: {
    readonly add: boolean
    readonly remove: boolean
    readonly rename: boolean
    readonly leave: boolean
    readonly changeRoles: boolean
  }
  /** `renewed`: when this device made the keys that it has here (ms); absent before it brought its first fresh ones. */
  readonly encryption: { readonly suite: string; readonly epoch: number; readonly renewed?: number }
}

/** A message as a script sees it arrive, own other devices' included. */
export interface IncomingMessage {
  readonly conversation: ConversationId
  readonly message: MessageId
  readonly sender: Person
  readonly mine: boolean
  readonly text: string
  readonly time: number
  readonly seq: number
  /** In a conversation that its person has not taken up (`acceptRequest`). */
  readonly request?: true
}
