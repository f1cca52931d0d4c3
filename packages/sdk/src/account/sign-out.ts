/** Signing out: the server hears of it if it can be reached, and everything on this device is erased whether or not it can. */
import { routes } from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import type { Clock } from '../surroundings.ts'
import { backOff, isPassing } from '../trouble.ts'
import { changeVault, type VaultAccess } from '../vault/own-vault.ts'
import { withoutDevices } from '../vault/vault.ts'
import type { Self } from './settings.ts'
import { takeOffList } from './take-off-list.ts'

/** A person who signs out does not wait longer for the server, in milliseconds. */
const PATIENCE = 5000

/** While this process lives, the server is told as soon as it can be reached; tried so often. */
const TRIES = 20

type Leaving = VaultAccess & { readonly self: Self; readonly clock: Clock }

/** Tells the server; resolves when it knows, or after a while, whichever comes first. Never rejects. */
export async function sayGoodbye(access: Leaving): Promise<void> {
  const told = keepTelling(access, 0)
  let stop = () => {}
  const patience = new Promise<void>((resolve) => {
    stop = access.clock.after(PATIENCE, resolve)
  })
  await Promise.race([told, patience])
  stop()
}

async function keepTelling(access: Leaving, attempt: number): Promise<void> {
  try {
    await tell(access)
  } catch (error) {
    if (!isPassing(error) || attempt >= TRIES) return
    const delay = 1000 + backOff({ attempt, fraction: access.random.fraction() })
    await new Promise<void>((resolve) => access.clock.after(delay, resolve))
    await keepTelling(access, attempt + 1)
  }
}

/** Takes the device off the signed list, which ends its sessions; then ends the session for the case that this did not. */
async function tell(access: Leaving): Promise<void> {
  const { session, self } = access
  await changeVault(access, (vault) => withoutDevices(vault, [self.device])).catch(() => undefined)
  await takeOffList(access, [self.device]).catch((error: unknown) => {
    if (isPassing(error)) throw error
  })
  await endSession(session)
}

async function endSession(session: Pick<Session, 'call'>): Promise<void> {
  await session.call(routes.sessions.signOut, {})
}
