/**
 * The vault: the account key and the names of the devices, sealed under a random vault key. That key is wrapped once for
 * each way of signing in, under what only that way gives to a device: the OPAQUE export key or the passkey's PRF output.
 *
 * The plaintext is CBOR [1, account key seed, [[device id, name] ...]]; later fields go at the end.
 */
import { CborError, decodeCbor, DeviceId, encodeCbor, type AccountId, type VaultUnlock } from '@tacit/contract'
import { deriveKey, labelled, openBytes, sealBytes, sha256 } from '../sealing.ts'
import type { Random } from '../surroundings.ts'

export interface Vault {
  /** Ed25519 seed, 32 bytes. */
  readonly accountKeySeed: Uint8Array
  readonly deviceNames: ReadonlyMap<DeviceId, string>
}

/** A secret that unlocks, and the way of signing in that gives it. */
export interface UnlockSecret {
  readonly kind: VaultUnlock['kind']
  /** At least 32 bytes: OPAQUE export key or PRF output. */
  readonly secret: Uint8Array
}

const LONGEST_NAME = 64

/** The input of the passkey's PRF extension, the same for everybody: SHA-256 of a constant. */
export const passkeySalt = (): Promise<Uint8Array<ArrayBuffer>> => sha256(new TextEncoder().encode('tacit vault v1'))

export async function sealVault(request: {
  readonly vault: Vault
  readonly vaultKey: Uint8Array
  readonly account: AccountId
  readonly random: Random
}): Promise<Uint8Array<ArrayBuffer>> {
  const { vault, vaultKey, account, random } = request
  const names = [...vault.deviceNames].map(([device, name]) => [device, name.slice(0, LONGEST_NAME)])
  return sealBytes({ key: vaultKey, bytes: encodeCbor([1, vault.accountKeySeed, names]), context: vaultContext(account), random })
}

/** Undefined when the key does not fit or the content is not a vault. */
export async function openVault(request: {
  readonly sealed: Uint8Array
  readonly vaultKey: Uint8Array
  readonly account: AccountId
}): Promise<Vault | undefined> {
  const bytes = await openBytes({ key: request.vaultKey, sealed: request.sealed, context: vaultContext(request.account) })
  return bytes && readVault(bytes)
}

/** Wraps the vault key for one way of signing in. */
export async function wrapVaultKey(request: {
  readonly vaultKey: Uint8Array
  readonly unlock: UnlockSecret
  readonly account: AccountId
  readonly random: Random
}): Promise<VaultUnlock> {
  const { vaultKey, unlock, account, random } = request
  const key = await unlockKey(unlock)
  return { kind: unlock.kind, wrappedKey: await sealBytes({ key, bytes: vaultKey, context: unlockContext(account), random }) }
}

/** The vault key, by the first wrapping that this secret opens. */
export async function unwrapVaultKey(request: {
  readonly unlocks: readonly VaultUnlock[]
  readonly unlock: UnlockSecret
  readonly account: AccountId
}): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const key = await unlockKey(request.unlock)
  for (const { kind, wrappedKey } of request.unlocks) {
    if (kind !== request.unlock.kind) continue
    const vaultKey = await openBytes({ key, sealed: wrappedKey, context: unlockContext(request.account) })
    if (vaultKey?.length === 32) return vaultKey
  }
  return undefined
}

const vaultContext = (account: AccountId) => labelled('tacit vault v1', account)
const unlockContext = (account: AccountId) => labelled('tacit vault key v1', account)

async function unlockKey({ kind, secret }: UnlockSecret): Promise<Uint8Array<ArrayBuffer>> {
  return deriveKey({ secret, salt: await passkeySalt(), info: labelled('tacit vault unlock v1', kind) })
}

function readVault(bytes: Uint8Array): Vault | undefined {
  try {
    const value = decodeCbor(bytes)
    if (!Array.isArray(value) || value[0] !== 1) return undefined
    const [, seed, names] = value
    if (!(seed instanceof Uint8Array) || seed.length !== 32 || !Array.isArray(names)) return undefined
    return { accountKeySeed: seed, deviceNames: new Map(names.flatMap(readName)) }
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

function readName(pair: unknown): [DeviceId, string][] {
  if (!Array.isArray(pair)) return []
  const device = DeviceId.safeParse(pair[0])
  return device.success && typeof pair[1] === 'string' ? [[device.data, pair[1]]] : []
}
