/** Randomness, injected. Everything that must not be guessed comes from here. */
import { randomFillSync } from 'node:crypto'
import { toBase64Url } from '@tacit/contract'

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer>
  /** A new identifier: 16 bytes as 22 base64url characters. */
  id(): string
}

const bytes = (length: number): Uint8Array<ArrayBuffer> => randomFillSync(new Uint8Array(length))

export const systemRandom: Random = { bytes, id: () => toBase64Url(bytes(16)) }
