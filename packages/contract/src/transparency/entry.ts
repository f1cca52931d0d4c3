/**
 * What the log says: which version of a device list an account has now, by hashes alone. Whoever does not know an account's
 * id learns nothing from it: ids are 128 random bits, so their hash cannot be guessed.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { z } from 'zod'
import { concatBytes, rawBytes } from '../bytes.ts'
import { encodeCbor } from '../cbor.ts'
import type { AccountId } from '../ids.ts'
import { parseCbor } from '../signed.ts'
import type { Placed } from './prefix-tree.ts'

export interface LogEntry extends Placed {
  /** Root of the map of labels after this entry: so the log binds every state of the map, too. */
  readonly mapRoot: Uint8Array
}

const hash = rawBytes({ min: 32, max: 32 })
const EntryArray = z.tuple([hash, z.int().min(1), hash, hash])

/** Under which an account stands in the log: SHA-256("tacit transparency label v1" ‖ id). */
export const labelOf = (account: AccountId): Uint8Array =>
  sha256(concatBytes(new TextEncoder().encode('tacit transparency label v1'), new TextEncoder().encode(account)))

export const encodeEntry = ({ label, version, list, mapRoot }: LogEntry): Uint8Array<ArrayBuffer> =>
  encodeCbor([label, version, list, mapRoot])

export function readEntry(bytes: Uint8Array): LogEntry | undefined {
  const parsed = parseCbor(EntryArray, bytes)
  if (!parsed) return undefined
  const [label, version, list, mapRoot] = parsed
  return { label, version, list, mapRoot }
}
