/** The ways in, as actions: verbs of the SDK with the ceremony of the browser between them. */
import type { Messenger } from '@tacit/sdk'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction, type Action } from '../messenger/use-action.ts'
import { usePlatform, type Passkeys, type Platform } from '../platform/platform-context.tsx'

interface Way {
  readonly messenger: Messenger
  readonly platform: Platform
  readonly passkeys: Passkeys
}

interface Credentials {
  readonly handle: string
  readonly password: string
}

export interface Door {
  readonly signUpWithPasskey: Action<[handle: string]>
  readonly signUpWithPassword: Action<[Credentials]>
  readonly signInWithPasskey: Action<[]>
  readonly signInWithPassword: Action<[Credentials]>
  readonly signInWithKit: Action<[kit: string]>
  /** After the vault did not open. */
  readonly resetAccount: Action<[password: string]>
  readonly hasPasskeys: boolean
}

const none = () => Promise.reject(new Error('This browser has no passkeys'))
const noPasskeys: Passkeys = { create: none, use: none, createForLock: none, useForLock: none }

export function useDoor(): Door {
  const messenger = useMessenger()
  const platform = usePlatform()
  const way: Way = { messenger, platform, passkeys: platform.passkeys ?? noPasskeys }
  const { deviceName } = platform
  return {
    hasPasskeys: platform.passkeys !== undefined,
    signUpWithPasskey: useAction((handle: string) => entering(way, () => createWithPasskey(way, handle))),
    signUpWithPassword: useAction((given: Credentials) => entering(way, () => messenger.signUp({ ...given, deviceName }))),
    signInWithPasskey: useAction(() => entering(way, () => enterWithPasskey(way))),
    signInWithKit: useAction((kit: string) => entering(way, () => messenger.signInWithKit({ kit, deviceName }))),
    resetAccount: useAction((password: string) => entering(way, () => messenger.resetAccount({ password, deviceName }))),
    signInWithPassword: useAction((given: Credentials) => entering(way, () => messenger.signIn({ ...given, deviceName }))),
  }
}

async function entering({ platform }: Way, enter: () => Promise<void>): Promise<void> {
  await enter()
  // Keys live in this browser now. If it says no, everything works as long as the browser does not run out of space.
  await platform.keepStorage().catch(() => undefined)
}

async function createWithPasskey({ messenger, platform, passkeys }: Way, handle: string): Promise<void> {
  const { ceremony, options } = await messenger.beginPasskeySignUp({ handle })
  const { response, prf } = await passkeys.create(options)
  await messenger.finishPasskeySignUp({ ceremony, response, prf, deviceName: platform.deviceName })
}

async function enterWithPasskey({ messenger, platform, passkeys }: Way): Promise<void> {
  const { ceremony, options } = await messenger.beginPasskeySignIn()
  const { response, prf } = await passkeys.use(options)
  await messenger.finishPasskeySignIn({ ceremony, response, prf, deviceName: platform.deviceName })
}
