/** The secret that the lock has now, asked for before it is changed or taken away: a PIN that is typed, or the passkey. */
import { useState } from 'react'
import type { LockSecret } from '@tacit/sdk/browser'
import { usePlatform } from '../platform/platform-context.tsx'

export interface CurrentSecret {
  /** What is typed, if the lock has a PIN. */
  readonly pin: string
  readonly setPin: (pin: string) => void
  /** Runs the ceremony of the passkey, if it has one. */
  readonly give: () => Promise<LockSecret>
}

export function useCurrentSecret(lock: { readonly by: LockSecret['kind']; readonly credential?: string | undefined }): CurrentSecret {
  const { passkeys } = usePlatform()
  const [pin, setPin] = useState('')
  const give = async (): Promise<LockSecret> => {
    if (lock.by === 'pin' || !passkeys) return { kind: 'pin', pin }
    return { kind: 'passkey', prf: await passkeys.useForLock({ credential: lock.credential ?? '' }) }
  }
  return { pin, setPin, give }
}
