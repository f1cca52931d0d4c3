/** What a device is to its person: signed in or not, connected or not, in trouble or not. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { MessengerFailure } from './failure.ts'

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
