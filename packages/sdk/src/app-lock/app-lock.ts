/**
 * The app lock as a page sees it: a PIN or a passkey without which the local database cannot be opened. While it is locked the
 * database is closed, its key is nowhere in memory, and nothing is received.
 */
import type { Live } from '../api.ts'

/** What the person gives. `prf`: 32 bytes of the passkey's PRF extension (passkey.browser.ts). */
export type LockSecret = { readonly kind: 'pin'; readonly pin: string } | { readonly kind: 'passkey'; readonly prf: Uint8Array }

export type LockState =
  /** Nothing was opened yet in this browser. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'off' }
  | {
      readonly kind: 'open'
      readonly by: LockSecret['kind']
      readonly credential?: string
      readonly afterMinutes: number
    }
  | {
      readonly kind: 'locked'
      readonly by: LockSecret['kind']
      /** Id of the passkey, Base64url. */
      readonly credential?: string
      /** No try is taken before this moment (ms): too many were wrong. */
      readonly notBefore: number
    }

/** Each rejects with `MessengerError`: `wrong_lock_secret`, `rate_limited`, `weak_password`, `not_signed_in`, `not_allowed`, `storage`. */
export interface LockVerbs {
  /** Locks from now on with this secret, after `afterMinutes` (1 to 1440) without the person. `current`: the one until now, if there was one. */
  setLock(request: {
    readonly secret: LockSecret
    /** Of the passkey, Base64url. */
    readonly credential?: string
    readonly afterMinutes: number
    readonly current?: LockSecret
  }): Promise<void>
  removeLock(request: { readonly current: LockSecret }): Promise<void>
  /** At once, in all tabs. */
  lock(): Promise<void>
  unlock(request: { readonly secret: LockSecret }): Promise<void>
  /** The person is here; puts off the automatic lock. */
  stillHere(): Promise<void>
  /** Erases this device without opening it, for somebody who does not know the secret any more. */
  forgetDevice(): Promise<void>
}

export interface AppLock extends LockVerbs {
  readonly state: Live<LockState>
}

/** Fewer characters than this are no PIN. */
export const SHORTEST_PIN = 6
