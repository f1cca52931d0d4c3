/** The verbs of linking, on both sides. How a link goes, and how it ends, is in the topic `linking`. */
import type { LinkingState, Verbs } from '../api.ts'
import { MessengerError } from '../api.ts'
import type { LiveValue } from '../live.ts'
import type { SignedIn } from '../verbs.ts'
import type { Attempt } from './linking.ts'
import { Linking, whyOver } from './linking.ts'
import { fetchVault } from '../vault/own-vault.ts'
import { vaultIn } from '../vault/vault.store.ts'
import { showCode, type Admission, type NewSideParts } from './new-side.ts'
import { bringCode, endWith, handOver, type Comparing, type OldSideParts } from './old-side.ts'

export interface LinkVerbsParts extends Omit<NewSideParts, 'linking'> {
  readonly linking: Linking
  readonly state: LiveValue<LinkingState>
  /** Undefined when nobody is signed in, or the session has ended. */
  readonly signedIn: () => SignedIn | undefined
  /** Enters the account with what another device handed over. */
  readonly admitted: (admission: Admission, deviceName: string | undefined) => Promise<void>
}

type LinkVerbs = Pick<Verbs, 'beginLinking' | 'claimLink' | 'approveLink' | 'cancelLinking'>

export function linkVerbs(parts: LinkVerbsParts): LinkVerbs {
  const { linking, state } = parts
  let comparing: Comparing | undefined
  return {
    async beginLinking({ deviceName }) {
      if (parts.signedIn()) throw new MessengerError('not_allowed', 'Somebody is signed in. Sign out first.')
      const admitted = async (attempt: Attempt, admission: Admission) => {
        await parts.admitted(admission, deviceName)
        linking.end(attempt, { kind: 'idle' })
      }
      await showCode(parts, admitted)
    },
    async claimLink({ code }) {
      comparing = undefined
      comparing = await bringCode(oldSide(parts), code)
    },
    async approveLink() {
      const now = comparing
      if (!now?.attempt.isOn || state.get().kind !== 'comparing') throw new MessengerError('expired', 'There is nothing to approve.')
      try {
        await handOver(oldSide(parts), now)
        linking.end(now.attempt, { kind: 'done', side: 'old' })
      } catch (error) {
        // The digits stay: the person proves who they are, or tries again when the server is there.
        if (!whyOver(error)) throw error
        endWith(parts, now.attempt, error)
      }
    },
    cancelLinking: ({ different }) => linking.cancel(different ? 'different' : 'cancelled_here'),
  }
}

function oldSide({ linking, signedIn, server, clock, random }: LinkVerbsParts): OldSideParts {
  const now = signedIn()
  if (!now) throw new MessengerError('not_signed_in', 'Nobody is signed in.')
  const { self, device } = now
  const { session, store } = device.core
  const vaultKey = async () => {
    const vault = await fetchVault({ session, self, random, memory: vaultIn(store) })
    vault.accountKeySeed.fill(0)
    return vault.vaultKey
  }
  return { linking, session, self, vaultKey, server: server.url, clock, random }
}
