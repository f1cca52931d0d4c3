/** What is seen of the own account: its devices and sessions, its ways to sign in, and linking a new device. */
import type { DeviceId, SessionId, SignInMethod, UnlockId } from '@tacit/contract'

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
