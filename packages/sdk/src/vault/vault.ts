/**
 * The part `keys` of the vault: the account key, who can open the vault, the account's devices as their owner calls them, and the
 * keys of the archive. A device keeps nothing of it but the vault key, and fetches it when it needs the account key.
 *
 * The plaintext is CBOR [2, account key seed, [[unlock id, kind, public key, added at (ms)] ...], [[device id, name, public key]
 * ...], [[number, archive key] ...]]; later fields go at the end.
 */
import { CborError, decodeCbor, DeviceId, encodeCbor, UnlockId, VaultUnlock, type CborValue } from '@tacit/contract'
import type { Random } from '../surroundings.ts'

/** A way to open the vault, as the vault knows it. */
export interface VaultHolder {
  readonly kind: 'password' | 'passkey' | 'kit'
  /** 1,216 bytes, of the hybrid suite. */
  readonly publicKey: Uint8Array
  /** Milliseconds. */
  readonly addedAt: number
}

export interface VaultDevice {
  readonly name: string
  /** As in `VaultHolder`: what the vault key is encrypted to when it is replaced. */
  readonly publicKey: Uint8Array
}

export interface Vault {
  /** Ed25519 seed, 32 bytes. */
  readonly accountKeySeed: Uint8Array
  readonly holders: ReadonlyMap<UnlockId, VaultHolder>
  readonly devices: ReadonlyMap<DeviceId, VaultDevice>
  /** By number, from 1; 32 bytes each. */
  readonly archiveKeys: ReadonlyMap<number, Uint8Array>
}

const LONGEST_NAME = 64

export function encodeVault({ accountKeySeed, holders, devices, archiveKeys }: Vault): Uint8Array<ArrayBuffer> {
  return encodeCbor([
    2,
    accountKeySeed,
    [...holders].map(([id, { kind, publicKey, addedAt }]) => [id, kind, publicKey, addedAt]),
    [...devices].map(([device, { name, publicKey }]) => [device, name.slice(0, LONGEST_NAME), publicKey]),
    [...archiveKeys].map(([number, key]) => [number, key]),
  ])
}

/** Undefined when the content is not a vault. */
export function decodeVault(bytes: Uint8Array): Vault | undefined {
  try {
    const value = decodeCbor(bytes)
    if (!Array.isArray(value) || value[0] !== 2) return undefined
    const [, seed, holders, devices, archiveKeys] = value
    if (!(seed instanceof Uint8Array) || seed.length !== 32) return undefined
    return {
      accountKeySeed: seed,
      holders: new Map(rows(holders).flatMap(readHolder)),
      devices: new Map(rows(devices).flatMap(readDevice)),
      archiveKeys: new Map(rows(archiveKeys).flatMap(readArchiveKey)),
    }
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

/** The vault with another name or key of a device. */
export const withDevice = (vault: Vault, device: DeviceId, known: VaultDevice): Vault => ({
  ...vault,
  devices: new Map([...vault.devices, [device, known]]),
})

/** The vault without some devices. */
export const withoutDevices = (vault: Vault, gone: readonly DeviceId[]): Vault => ({
  ...vault,
  devices: new Map([...vault.devices].filter(([device]) => !gone.includes(device))),
})

/** The vault with one more archive key, which seals from now on. */
export const withNewArchiveKey = (vault: Vault, random: Pick<Random, 'bytes'>): Vault => ({
  ...vault,
  archiveKeys: new Map([...vault.archiveKeys, [Math.max(0, ...vault.archiveKeys.keys()) + 1, random.bytes(32)]]),
})

const rows = (value: CborValue | undefined): readonly (readonly CborValue[])[] => (Array.isArray(value) ? value.filter(Array.isArray) : [])

function readHolder([id, kind, publicKey, addedAt]: readonly CborValue[]): [UnlockId, VaultHolder][] {
  const parsed = { id: UnlockId.safeParse(id).data, kind: VaultUnlock.shape.kind.exclude(['device']).safeParse(kind).data }
  if (!parsed.id || !parsed.kind || !(publicKey instanceof Uint8Array) || typeof addedAt !== 'number') return []
  return [[parsed.id, { kind: parsed.kind, publicKey, addedAt }]]
}

function readDevice([id, name, publicKey]: readonly CborValue[]): [DeviceId, VaultDevice][] {
  const device = DeviceId.safeParse(id).data
  return device && typeof name === 'string' && publicKey instanceof Uint8Array ? [[device, { name, publicKey }]] : []
}

function readArchiveKey([number, key]: readonly CborValue[]): [number, Uint8Array][] {
  return typeof number === 'number' && key instanceof Uint8Array && key.length === 32 ? [[number, key]] : []
}
