/** The verbs by which a person keeps their ways to sign in. */
import type { Verbs } from '../api.ts'
import type { SignedIn } from '../verbs.ts'
import { makeKit, putPassword, removeUnlock, unlockMethods } from './unlock-methods.ts'

type UnlockVerbs = Pick<Verbs, 'unlockMethods' | 'setPassword' | 'makeRecoveryKit' | 'removeUnlockMethod'>

export function unlockVerbs(signedIn: () => SignedIn): UnlockVerbs {
  return {
    unlockMethods: () => unlockMethods(signedIn().device.vault),
    setPassword: ({ password }) => putPassword(signedIn().device.vault, { handle: signedIn().self.handle, password }),
    makeRecoveryKit: () => makeKit(signedIn().device.vault, { server: signedIn().device.serverUrl, handle: signedIn().self.handle }),
    removeUnlockMethod: ({ unlock }) => removeUnlock(signedIn().device.vault, unlock),
  }
}
