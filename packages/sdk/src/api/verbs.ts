/** What can be asked of a device. */
import type { AccountId, ConversationId, DeviceId, MessageId, ProofMethod, SessionId, UnlockId, WebAuthnJson } from '@tacit/contract'
import type { Role } from './conversations.ts'
import type { DeviceInfo, RecoveryKit, SessionInfo, UnlockMethod } from './devices.ts'
import type { HistoryFile, HistoryImport } from './history.ts'
import type { Contact, Person } from './standing.ts'
import type { HeldTable, KeyLogEvidence, SafetyNumber, SecurityEventInfo } from './trust.ts'

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
  /**
   * A new group under the same title for a group that is stuck, with these of its members, each invited by the devices that this one
   * knows of them; all see a line in both. The old one stays as it is. Roles begin anew: who starts it is its admin.
   */
  startAnew(request: { readonly conversation: ConversationId; readonly people: readonly AccountId[] }): Promise<ConversationId>
  addPeople(request: { readonly conversation: ConversationId; readonly handles: readonly string[] }): Promise<void>
  removePerson(request: { readonly conversation: ConversationId; readonly account: AccountId }): Promise<void>
  setRole(request: { readonly conversation: ConversationId; readonly account: AccountId; readonly role: Role }): Promise<void>
  rename(request: { readonly conversation: ConversationId; readonly title: string }): Promise<void>
  leave(request: { readonly conversation: ConversationId }): Promise<void>
  /** Takes up a conversation that somebody brought this person into, on all own devices. Writing in it does so, too. */
  acceptRequest(request: { readonly conversation: ConversationId }): Promise<void>
  /**
   * Deletes it on all own devices, for good, and leaves the group. `block`: and blocks who asked. Nobody is told. Rejects with `not_allowed`
   * when it was taken up.
   */
  declineRequest(request: { readonly conversation: ConversationId; readonly block: boolean }): Promise<void>

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
  /** Shows `count` more items before the oldest in the conversation's timeline. Resolves when the snapshot has all that is stored by now. */
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
   * now. Nothing is lost by not waiting. `only: 'archive'`: waits for nothing but that what is on this device is in the archive, if that
   * is on.
   */
  settle(request: { readonly within: number; readonly only?: 'archive' }): Promise<'settled' | 'waiting'>

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
