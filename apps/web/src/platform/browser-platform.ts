/** The platform as the browser gives it. */
import { createPasskey, passkeysAreSupported, requestPersistence, usePasskey as askForPasskey } from '@tacit/sdk/browser'
import type { ConditionLive } from '../messenger/condition.ts'
import { followAppUpdate } from './app-update.ts'
import { deviceName } from './device-name.ts'
import type { Platform } from './platform-context.tsx'

interface BrowserPlatformOptions {
  /** As Trusted Types want it. */
  readonly serviceWorkerUrl: string
  readonly condition: ConditionLive
}

export function browserPlatform({ serviceWorkerUrl, condition }: BrowserPlatformOptions): Platform {
  const reload = () => location.reload()
  return {
    passkeys: passkeysAreSupported() ? { create: createPasskey, use: askForPasskey } : undefined,
    deviceName: deviceName(navigator.userAgent),
    keepStorage: requestPersistence,
    // Only the built app has one: in development it would keep old code alive.
    update: followAppUpdate({ url: serviceWorkerUrl, container: import.meta.env.PROD ? navigator.serviceWorker : undefined, reload }),
    condition,
    reload,
    now: () => Date.now(),
  }
}
