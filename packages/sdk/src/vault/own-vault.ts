/** The vault as a signed-in device uses it: fetched and opened when the account key is needed, and never longer. */
import { equalBytes, Refusal, routes, UnlockId, type DeviceId, type VaultPart } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import type { Session } from '../connection/session.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import type { Random } from '../surroundings.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import type { Self } from '../account/settings.ts'
import { openPart, sealPart, type VaultKey } from './parts.ts'
import { unlockPair, unwrapVaultKey, type UnlockSecret } from './unlock.ts'
import { decodeVault, encodeVault, withDevice, withoutDevices, type Vault } from './vault.ts'
import { isKnownToVault, markKnownToVault, type VaultMemory } from './vault.store.ts'

export interface VaultAccess {
  readonly session: Pick<Session, 'call'>
  readonly memory: VaultMemory
  readonly self: Pick<Self, 'account' | 'accountKey' | 'device' | 'signature'>
  readonly random: Random
}

/** A vault as it was fetched: what the next change of it builds on. */
export interface FetchedVault extends Vault {
  readonly version: number
  readonly vaultKey: VaultKey
}

/** Somebody else may change the vault at the same time; after so many rounds it is not for us. */
const ROUNDS = 8

/** Rejects with `vault_locked` when this device cannot open the vault any more, `vault_rolled_back` when it is older than one it has seen. */
export async function fetchVault(access: VaultAccess): Promise<FetchedVault> {
  // Before asking: what this device learns or changes while the answer is on its way makes that answer no older.
  const seen = await access.memory.seen('keys')
  const { version, bytes, generation } = await access.session.call(routes.vault.part, { params: { part: 'keys' } })
  const name = { account: access.self.account, part: 'keys', version } as const
  const open = async (key: VaultKey) => {
    const opened = await openPart({ vaultKey: key, name, sealed: bytes })
    return opened && decodeVault(opened)
  }
  let vaultKey = await keyOfGeneration(access, generation)
  let vault = await open(vaultKey)
  if (!vault && seen === 0) {
    // After a vault that went back a generation may come a second time, with another key.
    vaultKey = await followRotation(access)
    vault = await open(vaultKey)
  }
  if (!vault) throw locked()
  await mustNotGoBack(access, { part: 'keys', version, seen })
  return { ...vault, version, vaultKey }
}

/** The vault key of this generation: the one that is stored, or the new one that another own device has made. */
export async function keyOfGeneration(access: VaultAccess, generation: number): Promise<VaultKey> {
  const stored = await access.memory.key()
  if (stored?.generation === generation) return stored
  // Nothing seen: the server was restored from a backup, which was told (transparency/key-log.store.ts).
  if (stored && stored.generation > generation) {
    if ((await access.memory.seen('keys')) > 0) throw rolledBack()
    const former = await access.memory.former(generation)
    if (!former) return followRotation(access)
    await access.memory.keep({ key: former })
    return former
  }
  return followRotation(access)
}

/** Runs `work` with the account key, which is erased from memory afterwards as far as the platform allows. */
export async function withAccountKey<T>(access: VaultAccess, work: (key: SigningKey) => Promise<T>): Promise<T> {
  const { accountKeySeed } = await fetchVault(access)
  try {
    const key = await signingKeyFrom(accountKeySeed)
    if (!equalBytes(key.publicKey, access.self.accountKey))
      throw new MessengerError('identity_mismatch', 'The vault holds another account key.')
    return await work(key)
  } finally {
    accountKeySeed.fill(0)
  }
}

/** Changes the vault; done again on the newest one when somebody was faster. */
export async function changeVault(access: VaultAccess, change: (vault: Vault) => Vault): Promise<void> {
  await onNewestVault(access, async (current) => {
    const next = await nextKeysPart(access, current, change(current))
    await access.session.call(routes.vault.replace, { params: { part: 'keys' }, body: next })
    await access.memory.keep({ seen: [{ part: 'keys', version: next.version }] })
  })
}

/** Calls `work` with the newest vault, again when it was not the newest after all. Rejects with what the last round met. */
export async function onNewestVault<T>(access: VaultAccess, work: (vault: FetchedVault) => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work(await fetchVault(access))
    } catch (error) {
      if (round === ROUNDS || !(error instanceof Refusal) || error.failure !== 'version_conflict') throw error
    }
  }
}

/** The part `keys` as it comes after `current`, sealed. */
export async function nextKeysPart({ self, random }: VaultAccess, { version, vaultKey }: FetchedVault, vault: Vault) {
  const name = { account: self.account, part: 'keys', version: version + 1 } as const
  const bytes = await sealPart({ vaultKey, name, bytes: encodeVault(vault), random })
  return { version: name.version, generation: vaultKey.generation, bytes }
}

/** What this device opens a new vault key with that another own device has encrypted to it. */
export const deviceSecret = ({ signature }: Pick<Self, 'signature'>): UnlockSecret => ({ kind: 'device', secret: signature.secretKey })

/** The device's own place in the vault: its public key, so that it follows when the vault key is replaced. */
export async function tellVault(
  access: VaultAccess & { readonly store: StoreDriver },
  { name, gone }: { readonly name?: string; readonly gone?: DeviceId } = {},
): Promise<void> {
  const { self, store } = access
  if (name === undefined && (await isKnownToVault(store))) return
  const { publicKey } = await unlockPair(deviceSecret(self), self.account)
  await changeVault(access, (vault) =>
    withDevice(gone ? withoutDevices(vault, [gone]) : vault, self.device, {
      name: name ?? vault.devices.get(self.device)?.name ?? '',
      publicKey,
    }),
  )
  await store.transaction(markKnownToVault)
}

/** Refuses a part that is older than one that this device has seen; otherwise remembers it. */
async function mustNotGoBack(
  { memory }: VaultAccess,
  { part, version, seen }: { readonly part: VaultPart; readonly version: number; readonly seen: number },
): Promise<void> {
  if (version < seen) throw rolledBack()
  if (version > seen) await memory.keep({ seen: [{ part, version }] })
}

/** Takes the new vault key over, if it opens a vault that holds our account key. */
async function followRotation({ session, self, memory }: VaultAccess): Promise<VaultKey> {
  const { generation, parts, unlocks } = await session.call(routes.vault.fetch, {})
  const mine = unlocks.filter(({ id }) => id === unlockIdOf(self.device))
  const found = await unwrapVaultKey({ unlocks: mine, generation, unlock: deviceSecret(self), account: self.account })
  const keys = parts.find(({ part }) => part === 'keys')
  if (!found || !keys) throw locked()
  const opened = await openPart({ vaultKey: found.vaultKey, name: { ...keys, account: self.account }, sealed: keys.bytes })
  const vault = opened && decodeVault(opened)
  if (!vault) throw locked()
  const { publicKey } = await signingKeyFrom(vault.accountKeySeed)
  vault.accountKeySeed.fill(0)
  if (!equalBytes(publicKey, self.accountKey)) throw locked()
  await memory.keep({ key: found.vaultKey })
  return found.vaultKey
}

/** A device is a way to open the vault under its own id. */
export const unlockIdOf = (device: DeviceId): UnlockId => UnlockId.parse(device)

const locked = () => new MessengerError('vault_locked', 'This device cannot open the vault.')

const rolledBack = () => new MessengerError('vault_rolled_back', 'The server presents an older vault than before.')
