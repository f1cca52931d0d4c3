/** What a screen needs from the browser around it. Handed in, so that stories and tests can stand in for it. */
import { createContext, use } from 'react'
import type { WebAuthnJson } from '@tacit/sdk'
import type { ConditionLive } from '../messenger/condition.ts'
import type { OfflineApp } from './offline-app.ts'

/** What a WebAuthn ceremony gives: the answer for the server, and the 32-byte PRF output that never leaves the device. */
export interface PasskeyAnswer {
  readonly response: WebAuthnJson
  readonly prf: Uint8Array
}

export interface Passkeys {
  readonly create: (options: WebAuthnJson) => Promise<PasskeyAnswer>
  readonly use: (options: WebAuthnJson) => Promise<PasskeyAnswer>
  /** Those of the app lock, which no server knows. */
  readonly createForLock: (request: { readonly name: string }) => Promise<{ readonly credential: string; readonly prf: Uint8Array }>
  readonly useForLock: (request: { readonly credential: string }) => Promise<Uint8Array>
}

export interface Platform {
  /** Undefined where the browser has no passkeys. */
  readonly passkeys: Passkeys | undefined
  /** The name this device is given at first. */
  readonly deviceName: string
  /** Asks the browser not to clear our storage when space is short. */
  readonly keepStorage: () => Promise<unknown>
  readonly offline: OfflineApp
  readonly condition: ConditionLive
  readonly reload: () => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const PlatformContext = createContext<Platform | undefined>(undefined)
export const PlatformProvider = PlatformContext.Provider

/** @throws Error outside of a `PlatformProvider`. */
export function usePlatform(): Platform {
  const platform = use(PlatformContext)
  if (platform === undefined) throw new Error('usePlatform is called outside of a PlatformProvider')
  return platform
}
