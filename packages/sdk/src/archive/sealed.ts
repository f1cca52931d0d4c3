/**
 * Sealing what the server keeps of an archive: CBOR [1, generation, AES-256-GCM]. The plaintext is padded to a power of two,
 * so a size tells little; the context binds it to the account and to its place, so it opens nowhere else.
 */
import { CborError, decodeCbor, encodeCbor, type AccountId } from '@tacit/contract'
import { fitting, padded, unpadded } from '../padding.ts'
import { labelled, openBytes, sealBytes } from '../sealing.ts'
import type { Random } from '../surroundings.ts'
import type { ArchiveKey, ArchiveKeys } from './archive-keys.ts'

/** Where a sealed piece belongs. */
export type Place =
  | { readonly kind: 'head'; readonly account: AccountId; readonly version: number }
  | { readonly kind: 'segment'; readonly account: AccountId; readonly number: number; readonly revision: number }

export type Opened =
  | { readonly kind: 'opened'; readonly bytes: Uint8Array }
  /** Sealed under a key that this device has not. */
  | { readonly kind: 'no_key'; readonly generation: number }
  | { readonly kind: 'damaged' }

/** Bytes that a segment may have before it is sealed, so that it is padded to 128 KiB at most. */
export const LARGEST_SEGMENT = fitting(128 * 1024)

export async function sealPiece(request: {
  readonly place: Place
  readonly key: ArchiveKey
  readonly bytes: Uint8Array
  readonly random: Random
}): Promise<Uint8Array<ArrayBuffer>> {
  const { place, key, bytes, random } = request
  const sealed = await sealBytes({ key: key.key, bytes: padded(bytes), context: contextOf(place), random })
  return encodeCbor([1, key.generation, sealed])
}

export async function openPiece(request: {
  readonly place: Place
  readonly keys: ArchiveKeys
  readonly sealed: Uint8Array
}): Promise<Opened> {
  const { place, keys, sealed } = request
  const outer = readOuter(sealed)
  if (!outer) return { kind: 'damaged' }
  const key = await keys.of(outer.generation)
  if (!key) return { kind: 'no_key', generation: outer.generation }
  const bytes = await openBytes({ key: key.key, sealed: outer.bytes, context: contextOf(place) })
  const content = bytes && unpadded(bytes)
  return content ? { kind: 'opened', bytes: content } : { kind: 'damaged' }
}

const contextOf = (place: Place) =>
  place.kind === 'head'
    ? labelled('tacit archive head v1', place.account, place.version)
    : labelled('tacit archive segment v1', place.account, place.number, place.revision)

function readOuter(sealed: Uint8Array): { readonly generation: number; readonly bytes: Uint8Array } | undefined {
  try {
    const value = decodeCbor(sealed)
    if (!Array.isArray(value) || value.length !== 3) return undefined
    const [version, generation, bytes] = value
    return version === 1 && typeof generation === 'number' && bytes instanceof Uint8Array ? { generation, bytes } : undefined
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}
