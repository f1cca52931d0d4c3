/** The platform as the browser gives it. */
import {
  createLockPasskey,
  createPasskey,
  passkeysAreSupported,
  requestPersistence,
  useLockPasskey as askForLockPasskey,
  usePasskey as askForPasskey,
} from '@tacit/sdk/browser'
import type { ConditionLive } from '../messenger/condition.ts'
import { deviceName } from './device-name.ts'
import { offlineApp } from './offline-app.ts'
import type { Passkeys, Platform } from './platform-context.tsx'

interface BrowserPlatformOptions {
  /** As Trusted Types want it. */
  readonly serviceWorkerUrl: string
  readonly condition: ConditionLive
}

const passkeys: Passkeys = { create: createPasskey, use: askForPasskey, createForLock: createLockPasskey, useForLock: askForLockPasskey }

export function browserPlatform({ serviceWorkerUrl, condition }: BrowserPlatformOptions): Platform {
  const reload = () => location.reload()
  // Only the built app has one: in development it would keep old code alive.
  const container = import.meta.env.PROD ? navigator.serviceWorker : undefined
  return {
    passkeys: passkeysAreSupported() ? passkeys : undefined,
    deviceName: deviceName(navigator.userAgent),
    keepStorage: requestPersistence,
    offline: offlineApp({ url: serviceWorkerUrl, container, caches: globalThis.caches, reload }),
    condition,
    reload,
    now: () => Date.now(),
  }
}
