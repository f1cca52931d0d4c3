/**
 * Replacing the vault key, after a device was removed: what it had opens nothing that is written from now on. Every part is
 * sealed anew and the new key encrypted to everybody who may still open the vault, in one request that happens whole or not at all.
 */
import { Refusal, routes, type DeviceId, type VaultUnlock } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import { onNewestVault, unlockIdOf, type FetchedVault, type VaultAccess } from './own-vault.ts'
import { openPart, sealPart, type VaultKey } from './parts.ts'
import { wrapVaultKey } from './unlock.ts'
import { encodeVault, withNewArchiveKey, withoutDevices, type Vault } from './vault.ts'

/** Any own device may do it. `without`: devices that do not get the new key. Rejects as `fetchVault` and the server do. */
export async function rotateVaultKey(access: VaultAccess, without: readonly DeviceId[]): Promise<void> {
  const { session, memory, random } = access
  await onNewestVault(access, async (current) => {
    const vault = withNewArchiveKey(withoutDevices(current, without), random)
    const vaultKey: VaultKey = { key: random.bytes(32), generation: current.vaultKey.generation + 1 }
    const parts = await resealed(access, { current, vault, vaultKey })
    const unlocks = await wrappedForAll(access, vault, vaultKey)
    await session.call(routes.vault.rotate, { body: { generation: vaultKey.generation, parts, unlocks } })
    await memory.keep({ key: vaultKey, seen: parts })
  })
}

interface Rotation {
  readonly current: FetchedVault
  readonly vault: Vault
  readonly vaultKey: VaultKey
}

async function resealed({ session, self, random }: VaultAccess, { current, vault, vaultKey }: Rotation) {
  const { parts, generation } = await session.call(routes.vault.fetch, {})
  if (generation !== current.vaultKey.generation) throw new Refusal('version_conflict')
  const filled = parts.filter(({ version }) => version > 0)
  return Promise.all(
    filled.map(async ({ part, version, bytes: sealed }) => {
      const name = { account: self.account, part, version }
      const bytes = part === 'keys' ? encodeVault(vault) : await openPart({ vaultKey: current.vaultKey, name, sealed })
      if (!bytes) throw new MessengerError('vault_locked', 'A part of the vault does not open.')
      const next = { ...name, version: (part === 'keys' ? current.version : version) + 1 }
      return { part, version: next.version, bytes: await sealPart({ vaultKey, name: next, bytes, random }) }
    }),
  )
}

function wrappedForAll({ self }: VaultAccess, vault: Vault, vaultKey: VaultKey): Promise<VaultUnlock[]> {
  const methods = [...vault.holders].map(([id, { kind, publicKey }]) => ({ id, kind, publicKey }))
  const devices = [...vault.devices].map(([device, { publicKey }]) => ({ id: unlockIdOf(device), kind: 'device', publicKey }) as const)
  return Promise.all([...methods, ...devices].map((holder) => wrapVaultKey(vaultKey, holder, self.account)))
}
