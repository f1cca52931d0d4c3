/**
 * A part of the vault as it lies on the server: padded, so that its size tells little, and sealed under a key that is derived
 * from the vault key for this part alone. Account, part, version and generation are bound to it: no sealed part can stand for another.
 */
import type { AccountId, VaultPart } from '@tacit/contract'
import { padded, unpadded } from '../padding.ts'
import { deriveKey, labelled, openBytes, sealBytes } from '../sealing.ts'
import type { Random } from '../surroundings.ts'

/** The vault key of a time: `generation` counts them. */
export interface VaultKey {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly generation: number
}

/** Which sealed bytes these are. */
export interface PartName {
  readonly account: AccountId
  readonly part: VaultPart
  readonly version: number
}

export async function sealPart(request: {
  readonly vaultKey: VaultKey
  readonly name: PartName
  readonly bytes: Uint8Array
  readonly random: Random
}): Promise<Uint8Array<ArrayBuffer>> {
  const { vaultKey, name, bytes, random } = request
  const key = await partKey(vaultKey, name)
  return sealBytes({ key, bytes: padded(bytes), context: contextOf(vaultKey, name), random })
}

/** Undefined when the key does not fit, or it is another part or version. */
export async function openPart(request: {
  readonly vaultKey: VaultKey
  readonly name: PartName
  readonly sealed: Uint8Array
}): Promise<Uint8Array | undefined> {
  const { vaultKey, name, sealed } = request
  const bytes = await openBytes({ key: await partKey(vaultKey, name), sealed, context: contextOf(vaultKey, name) })
  return bytes && unpadded(bytes)
}

const partKey = ({ key }: VaultKey, { account, part }: PartName) =>
  deriveKey({ secret: key, salt: new TextEncoder().encode(account), info: labelled('tacit vault part key v2', part) })

const contextOf = ({ generation }: VaultKey, { account, part, version }: PartName) =>
  labelled('tacit vault part v2', account, part, version, generation)
