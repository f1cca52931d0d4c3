/** The vault as a signed-in device uses it: fetched and opened when the account key is needed, and never longer. */
import { Refusal, routes } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import type { Session } from '../connection/session.ts'
import type { Random } from '../surroundings.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import type { Self } from './settings.ts'
import { openVault, sealVault, type Vault } from './vault.ts'

export interface VaultAccess {
  readonly session: Session
  readonly self: Pick<Self, 'account' | 'accountKey' | 'vaultKey'>
  readonly random: Random
}

/** Somebody else may change the vault at the same time; after so many rounds it is not for us. */
const ROUNDS = 5

/** Rejects with `vault_locked` when this device's vault key does not fit any more. */
export async function fetchVault({ session, self }: VaultAccess): Promise<Vault & { readonly version: number }> {
  const { version, bytes } = await session.call(routes.vault.fetch, {})
  const vault = await openVault({ sealed: bytes, vaultKey: self.vaultKey, account: self.account })
  if (!vault) throw new MessengerError('vault_locked', 'This device cannot open the vault.')
  return { ...vault, version }
}

/** Runs `work` with the account key, which is erased from memory afterwards as far as the platform allows. */
export async function withAccountKey<T>(access: VaultAccess, work: (key: SigningKey) => Promise<T>): Promise<T> {
  const { accountKeySeed } = await fetchVault(access)
  try {
    const key = await signingKeyFrom(accountKeySeed)
    if (!key.publicKey.every((byte, at) => byte === access.self.accountKey[at]))
      throw new MessengerError('identity_mismatch', 'The vault holds another account key.')
    return await work(key)
  } finally {
    accountKeySeed.fill(0)
  }
}

/** Changes the vault; done again on the newest one when somebody was faster. */
export async function changeVault(access: VaultAccess, change: (vault: Vault) => Vault): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const current = await fetchVault(access)
    const bytes = await sealVault({ ...access.self, vault: change(current), random: access.random })
    try {
      await access.session.call(routes.vault.replace, { body: { version: current.version + 1, bytes } })
      return
    } catch (error) {
      if (!(error instanceof Refusal) || error.failure !== 'version_conflict') throw error
    }
  }
}
