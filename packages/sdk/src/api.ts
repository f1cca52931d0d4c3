/**
 * The front door of a device: what a screen, a terminal or a script can see and do. Everything crosses a worker boundary
 * in the browser, so arguments and snapshots are plain data and every verb takes one object.
 *
 * Reading goes through `Live` values: `get()` returns the same object until something changed, so they fit React's
 * `useSyncExternalStore` as they are. A snapshot never shows what a reload would lose.
 */
import type {
  AccountId,
  ConversationId,
  ConversationKind,
  DeviceId,
  FailureName,
  MessageId,
  ProofMethod,
  SecurityEventKind,
  SessionId,
  SignInMethod,
  UnlockId,
  WebAuthnJson,
} from '@tacit/contract'

/** A current value and a way to hear that it changed. */
export interface Live<T> {
  get(): T
  /** Returns the way to stop listening. */
  subscribe(listener: () => void): () => void
}

export interface Person {
  readonly account: AccountId
  /** In the spelling its owner chose. */
  readonly handle: string
  /** What this account calls them, if anything; nobody else sees it. */
  readonly nickname?: string
}

/** Somebody who has a name of one's own, or is blocked. */
export interface Contact extends Person {
  readonly blocked: boolean
}

export type SessionState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed_out'; readonly why: 'fresh' | 'signed_out' | 'storage_lost' }
  /** Signing up or in is under way; `step` is for the screen. */
  | { readonly kind: 'signing_in'; readonly step: 'keys' | 'server' | 'vault' | 'conversations' }
  | {
      readonly kind: 'signed_in'
      readonly me: Person
      readonly device: DeviceId
      readonly sharesPresence: boolean
      /** This device joined an existing account: what was written before `since` (ms) is not on it. */
      readonly joinedLate?: { readonly since: number }
    }
  /** The server ended the session but the keys are here: history is readable, the outbox waits, signing in again goes on. */
  | { readonly kind: 'session_ended'; readonly me: Person; readonly device: DeviceId }

/** Whether the server is there for us. */
export type Reach =
  | { readonly kind: 'offline' }
  | { readonly kind: 'connecting' }
  /** Waiting before the next try, until `until` (ms). */
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'catching_up' }
  | { readonly kind: 'online' }

/** `unsent`: messages that wait on this device, in all conversations. */
export type ConnectionState = Reach & { readonly unsent: number }

/** What keeps this device from showing what it has. Until it is over, snapshots stay as they were, or undefined. */
export interface Trouble {
  readonly failure: MessengerFailure
  /** An English sentence without secrets. */
  readonly message: string
}

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

/** active · joining: a commit is on its way · left · removed: by somebody else · paused: a commit could not be processed, repair is under way. */
export type ConversationStanding = 'active' | 'joining' | 'left' | 'removed' | 'paused'

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

export interface SessionInfo {
  readonly session: SessionId
  readonly device: DeviceId | null
  readonly method: SignInMethod
  readonly current: boolean
  readonly createdAt: number
  readonly lastUsedAt: number
}

/** A way to sign in, which opens the vault too. */
export interface UnlockMethod {
  readonly unlock: UnlockId
  readonly kind: 'password' | 'passkey' | 'kit'
  /** Milliseconds. */
  readonly addedAt: number
}

/** What is printed. It is shown once: it is not kept on the device, and the server never had it. */
export interface RecoveryKit {
  readonly server: string
  readonly handle: string
  /** Twelve. */
  readonly words: readonly string[]
  /** The same and where it belongs, for a QR code. */
  readonly code: string
  readonly madeAt: number
}

export interface DeviceInfo {
  readonly device: DeviceId
  readonly current: boolean
  /** The name its owner gave it, from the vault; the server does not know it. */
  readonly name: string
  readonly notAfter: number
  /** By the server's word, to a quarter of an hour; absent when it holds no session of it. */
  readonly lastUsedAt?: number
}

/**
 * How a link ended. wrong_code: the server knows no such code · other_server: the code is for another server · cancelled_here,
 * cancelled_there: by this device or the other · different: the person saw different digits · tampered: what came does not fit
 * what was promised, so somebody stands between · failed: anything else.
 */
export type LinkOver =
  | 'expired'
  | 'used'
  | 'wrong_code'
  | 'other_server'
  | 'cancelled_here'
  | 'cancelled_there'
  | 'different'
  | 'tampered'
  | 'too_many_tries'
  | 'too_many_devices'
  | 'failed'

/** Linking a device, on the new one (which shows a code) or the old one (which brings it). Times in milliseconds. */
export type LinkingState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly side: 'new' | 'old' }
  /** New: `code` to be typed, `qr` to be scanned, good until then. */
  | { readonly kind: 'showing'; readonly code: string; readonly qr: string; readonly until: number }
  /** Both show six digits, and the person compares them. New: `handle` is whose device brought the code, by the server's word. */
  | { readonly kind: 'comparing'; readonly side: 'new'; readonly digits: string; readonly handle: string; readonly until: number }
  | { readonly kind: 'comparing'; readonly side: 'old'; readonly digits: string; readonly until: number }
  | { readonly kind: 'finishing'; readonly side: 'new' | 'old' }
  /** Old: the new device is in. The new one is signed in then. */
  | { readonly kind: 'done'; readonly side: 'old' }
  | { readonly kind: 'over'; readonly side: 'new' | 'old'; readonly why: LinkOver }

/** Something that happened to the account, as the server noted it. */
export interface SecurityEventInfo {
  /** Of the newest kind first; `securityEvents({ before })` asks for older ones. */
  readonly position: number
  readonly kind: SecurityEventKind
  /** The way of signing in. */
  readonly method?: string
  readonly device?: DeviceId
  /** How often within the hour. */
  readonly times: number
  readonly time: number
}

/** A table of the server that holds something on me or on conversations I am in. */
export interface HeldTable {
  readonly table: string
  readonly rows: number
  /** What each column is, and how long it is kept, in English. */
  readonly columns: readonly { readonly column: string; readonly what: string; readonly kept: string }[]
}

/** What two people compare by another way, to know that nobody stands between them. */
export interface SafetyNumber {
  readonly person: Person
  /** Twelve groups of five digits, the same on both sides. */
  readonly digits: readonly string[]
  /** What the other person's device compares, as text or as a QR code. */
  readonly code: string
  readonly compared: boolean
}

/**
 * What convicts the server of showing different keys to different people: two signed heads of its log of device lists that
 * cannot both be true (`rewritten`, `split`), or the head of a log that does not hold the list it presented (`not_logged`).
 */
export interface KeyLogEvidence {
  readonly kind: 'rewritten' | 'split' | 'not_logged'
  /** Whose message brought the other head, or whose list it is about. */
  readonly account?: AccountId
  readonly conversation?: ConversationId
  /** Signed heads as bytes; anybody can verify them. */
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
  readonly time: number
}

/** The archive of this account's history, which its devices share. */
export interface HistoryState {
  /** Whether what is written goes into the archive. */
  readonly on: boolean
  /** Messages and other lines in the archive. */
  readonly messages: number
  /** Bytes of it on the server, and how many there may be. */
  readonly used: number
  readonly quota: number
  /** What is on this device and not in the archive yet. */
  readonly waiting: number
  /** Older history comes in: so many lines of so many. */
  readonly restoring?: { readonly done: number; readonly total: number }
  /**
   * full: nothing more fits · missing: the server does not give a part of it · unreadable: this device lacks a key or is too
   * old for a part · rolled_back, forked: the server showed an earlier archive, or another one, than this device had seen.
   */
  readonly trouble?: 'full' | 'missing' | 'unreadable' | 'rolled_back' | 'forked'
}

/** A person's history as a file of their own. */
export interface HistoryFile {
  readonly format: 'tacit history'
  readonly version: number
  readonly account: AccountId
  readonly handle: string
  /** When, in ISO 8601. */
  readonly exported: string
  /** SHA-256 of what follows, as JSON, in base64url. */
  readonly checksum: string
  readonly people: readonly Person[]
  readonly conversations: readonly {
    readonly conversation: ConversationId
    readonly kind: ConversationKind
    readonly title: string
    readonly peer?: AccountId
    /** In the order of the log. */
    readonly items: readonly (
      | {
          readonly kind: 'message'
          readonly seq: number
          /** Milliseconds since 1970. */
          readonly time: number
          readonly message: MessageId
          readonly account: AccountId
          readonly text: string
          readonly expires?: number
        }
      | { readonly kind: 'notice'; readonly seq: number; readonly time: number; readonly notice: NoticeOfAccounts }
    )[]
  }[]
}

/** not_a_history: another kind of file · damaged: not as it was written · too_new: of a newer program · other_account: somebody else's. */
export type HistoryRefusal = 'not_a_history' | 'damaged' | 'too_new' | 'other_account'

export type HistoryImport =
  /** Lines that were not here, and lines that were. */
  { readonly kind: 'imported'; readonly added: number; readonly known: number } | { readonly kind: 'refused'; readonly why: HistoryRefusal }

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

/** Every verb. Each rejects with `MessengerError` and nothing else. */
export interface Verbs {
  signUp(request: { readonly handle: string; readonly password: string; readonly deviceName?: string }): Promise<void>
  signIn(request: { readonly handle: string; readonly password: string; readonly deviceName?: string }): Promise<void>
  /** Passkey ceremonies run where the person is (WebAuthn needs a page), between these pairs. `prf` is the 32-byte PRF output. */
  beginPasskeySignUp(request: { readonly handle: string }): Promise<{ readonly ceremony: string; readonly options: WebAuthnJson }>
  finishPasskeySignUp(request: {
    readonly ceremony: string
    readonly response: WebAuthnJson
    readonly prf: Uint8Array
    readonly deviceName?: string
  }): Promise<void>
  beginPasskeySignIn(): Promise<{ readonly ceremony: string; readonly options: WebAuthnJson }>
  finishPasskeySignIn(request: {
    readonly ceremony: string
    readonly response: WebAuthnJson
    readonly prf: Uint8Array
    readonly deviceName?: string
  }): Promise<void>
  /** On a device that nobody is signed in on: shows a code by which another device of the person lets it in. */
  beginLinking(request: { readonly deviceName?: string }): Promise<void>
  /** On a device that is signed in: brings the code of the new one, typed or scanned. Resolves when there are digits to compare, or the link is over. */
  claimLink(request: { readonly code: string }): Promise<void>
  /** The digits are the same. Rejects with `proof_needed` unless the person has proved who they are within two minutes. */
  approveLink(): Promise<void>
  /** On either side. `different`: because the digits are not the same. */
  cancelLinking(request: { readonly different?: boolean }): Promise<void>

  /** How the person can prove that it is them, and for how many seconds the last proof still counts. */
  proofState(): Promise<{ readonly methods: readonly ProofMethod[]; readonly provedFor: number }>
  proveByPassword(request: { readonly password: string }): Promise<void>
  beginPasskeyProof(): Promise<{ readonly ceremony: string; readonly options: WebAuthnJson }>
  finishPasskeyProof(request: { readonly ceremony: string; readonly response: WebAuthnJson }): Promise<void>

  /** `kit`: its words as somebody typed them, or its code. */
  signInWithKit(request: { readonly kit: string; readonly deviceName?: string }): Promise<void>
  /** Signs in by a one-time code from the operator, as far as `resetAccount`. */
  enterRecoveryCode(request: { readonly handle: string; readonly code: string }): Promise<void>
  /**
   * After signing in ended with `vault_locked`, or after a recovery code: begins anew with a new account key. Contacts, settings and
   * history of before are not given back, and everybody who talks to this person sees that the key changed.
   */
  resetAccount(request: { readonly password: string; readonly deviceName?: string }): Promise<void>
  /** Ends the session and wipes this device: keys, database, caches. Works offline too (the server learns of it when it can). */
  signOut(): Promise<void>

  /** By exact handle, whatever its case. Undefined when there is nobody. */
  findPerson(request: { readonly handle: string }): Promise<Person | undefined>
  /** Opens the direct conversation with a person, the existing one if there is one. */
  startDirect(request: { readonly handle: string }): Promise<ConversationId>
  createGroup(request: { readonly title: string; readonly handles: readonly string[] }): Promise<ConversationId>
  addPeople(request: { readonly conversation: ConversationId; readonly handles: readonly string[] }): Promise<void>
  removePerson(request: { readonly conversation: ConversationId; readonly account: AccountId }): Promise<void>
  setRole(request: { readonly conversation: ConversationId; readonly account: AccountId; readonly role: Role }): Promise<void>
  rename(request: { readonly conversation: ConversationId; readonly title: string }): Promise<void>
  leave(request: { readonly conversation: ConversationId }): Promise<void>

  /**
   * Resolves when the message is safe in the outbox of this device, not when it was sent. With `message`, an id minted by
   * the caller, calling it again changes nothing: a page does so when it does not know whether the first call arrived.
   */
  send(request: { readonly conversation: ConversationId; readonly text: string; readonly message?: MessageId }): Promise<MessageId>
  /** Puts a failed message back into the outbox. */
  retry(request: { readonly message: MessageId }): Promise<void>
  /** Takes back a message that has not been accepted. */
  discard(request: { readonly message: MessageId }): Promise<void>
  /** The person has seen everything up to this position. */
  markRead(request: { readonly conversation: ConversationId; readonly seq: number }): Promise<void>
  /** What is typed and not sent, on all own devices; empty: there is none any more. Sending does not erase it. */
  saveDraft(request: { readonly conversation: ConversationId; readonly text: string }): Promise<void>
  setTyping(request: { readonly conversation: ConversationId; readonly typing: boolean }): Promise<void>
  /** Shows `count` more items before the oldest in the conversation's timeline. */
  loadEarlier(request: { readonly conversation: ConversationId; readonly count: number }): Promise<void>

  /** Deletes a message for this person only: from all their devices and their archive. Others keep theirs. */
  forget(request: { readonly conversation: ConversationId; readonly message: MessageId }): Promise<void>
  /** Switches the archive on or off, for all own devices; what is in it stays. Switched on, it takes what is on the devices. */
  setHistory(request: { readonly on: boolean }): Promise<void>
  /** Erases the archive on the server and switches it off; devices keep what they have. */
  eraseHistory(): Promise<void>
  /** The person has seen that the server showed another archive than before. */
  historyAlarmSeen(): Promise<void>
  exportHistory(): Promise<HistoryFile>
  /** Reads an exported file, as JSON or as the page; adds what is missing and changes nothing that is there. */
  importHistory(request: { readonly file: string }): Promise<HistoryImport>

  /**
   * For a device that is about to go: resolves when everything that waits is sent, the others know how far it is, and what
   * is its turn in the conversations is done; `waiting` when something is left after `within` milliseconds or cannot be done
   * now. Nothing is lost by not waiting.
   */
  settle(request: { readonly within: number }): Promise<'settled' | 'waiting'>

  /** What this person calls somebody, on all own devices; empty: by their handle again. */
  setNickname(request: { readonly account: AccountId; readonly nickname: string }): Promise<void>
  /** What they say from now on is not shown, and what they begin does not appear. They are not told. */
  setBlocked(request: { readonly account: AccountId; readonly blocked: boolean }): Promise<void>
  contacts(): Promise<readonly Contact[]>
  /** A choice of this person for all own devices, such as `theme`; undefined: none. */
  setPreference(request: { readonly name: string; readonly value: string | undefined }): Promise<void>

  setPresenceSharing(request: { readonly on: boolean }): Promise<void>
  sessions(): Promise<readonly SessionInfo[]>
  revokeSession(request: { readonly session: SessionId }): Promise<void>
  devices(): Promise<readonly DeviceInfo[]>
  /** Other devices of the account see the name, the server does not. */
  nameDevice(request: { readonly device: DeviceId; readonly name: string }): Promise<void>
  /** The person has seen which devices are new. */
  acknowledgeDevices(): Promise<void>
  /** Out of the account and of every conversation, its sessions dead. Rejects with `proof_needed` for one that is in use. */
  removeDevice(request: { readonly device: DeviceId }): Promise<void>
  keyLogEvidence(): Promise<readonly KeyLogEvidence[]>

  /** The ways to sign in, oldest first. */
  unlockMethods(): Promise<readonly UnlockMethod[]>
  /** A password in the place of the one before, or in addition to a passkey. */
  setPassword(request: { readonly password: string }): Promise<void>
  /** One more passkey; the ceremony runs in the page, between the two. */
  beginAddPasskey(): Promise<{ readonly ceremony: string; readonly options: WebAuthnJson }>
  finishAddPasskey(request: { readonly ceremony: string; readonly response: WebAuthnJson; readonly prf: Uint8Array }): Promise<void>
  /** A new recovery kit in the place of the one before. */
  makeRecoveryKit(): Promise<RecoveryKit>
  /** Not the last one: that is refused with `not_allowed`. */
  removeUnlockMethod(request: { readonly unlock: UnlockId }): Promise<void>

  /** What happened to the account, newest first, 50 older than `before`. The server could leave something out; devices are in the key log as well. */
  securityEvents(request: { readonly before?: number }): Promise<readonly SecurityEventInfo[]>
  /** Brings fresh keys of this device into a conversation now, as it does by itself from time to time. Resolves when the server has accepted them. */
  rotateKeys(request: { readonly conversation: ConversationId }): Promise<void>

  /** What the server holds on me, told by itself from its tables. */
  held(): Promise<readonly HeldTable[]>
  /** Its rows, 50 from `after` on; values as text in the order of the table's columns. */
  heldRows(request: { readonly table: string; readonly after: number }): Promise<readonly (readonly (string | null)[])[]>

  /** Of somebody this device knows: looked up once, or in a conversation with it. */
  safetyNumber(request: { readonly account: AccountId }): Promise<SafetyNumber>
  /** Compares the code that their device shows; the same one marks them as compared. */
  compareSafetyCode(request: { readonly account: AccountId; readonly code: string }): Promise<'same' | 'different' | 'not_a_code'>
  /** The person compared the number themselves, or takes the mark back. */
  setCompared(request: { readonly account: AccountId; readonly same: boolean }): Promise<void>
  /** Six groups of five digits that all members see who are in the same state of the group; new with each change of keys. */
  conversationNumber(request: { readonly conversation: ConversationId }): Promise<readonly string[]>
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
}

export interface Messenger extends Verbs {
  watch<T extends TopicName>(
    topic: T,
    ...param: Topics[T]['param'] extends undefined ? [] : [param: Topics[T]['param']]
  ): Live<Topics[T]['snapshot']>
  /** Releases everything; the device stays signed in. */
  close(): Promise<void>
}

export type MessengerFailure =
  | FailureName
  /** The server cannot be reached; nothing was lost. */
  | 'offline'
  /** The password or passkey opened the account but not its vault. */
  | 'vault_locked'
  /** The server presents an older vault than this device has seen: signing in again says which one counts. */
  | 'vault_rolled_back'
  /** This authenticator has no PRF extension, so it cannot keep the vault key. */
  | 'passkey_without_prf'
  /** The person cancelled, or the browser refused the ceremony. */
  | 'passkey_cancelled'
  /** What the server presented is not signed by the key we know. */
  | 'identity_mismatch'
  | 'weak_password'
  /** The app lock of this browser is closed: first `unlock`. */
  | 'locked'
  /** Not the PIN or passkey of the app lock. */
  | 'wrong_lock_secret'
  /** A word that no recovery kit has; the message names it. */
  | 'kit_word_unknown'
  /** Not twelve words. */
  | 'kit_incomplete'
  /** Twelve known words that are no kit together. */
  | 'kit_mistyped'
  /** No kit like this at this server. */
  | 'kit_unknown'
  | 'not_signed_in'
  | 'not_allowed'
  /** The local database is damaged, full, or open elsewhere. */
  | 'storage'

/** Every failure of a verb. `failure` is stable; the message is an English sentence without secrets. */
export class MessengerError extends Error {
  override readonly name = 'MessengerError'
  readonly failure: MessengerFailure
  /** When it happened (ms), of `kit_replaced`. */
  readonly at: number | undefined
  /** Seconds to wait, when the server said so. */
  readonly retryAfter: number | undefined
  constructor(
    failure: MessengerFailure,
    message: string,
    options?: { retryAfter?: number | undefined; at?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options?.cause })
    this.failure = failure
    this.retryAfter = options?.retryAfter
    this.at = options?.at
  }
}
