/**
 * Encrypting something small to somebody's public key, outside of any group: HPKE base mode (RFC 9180) with the hybrid suite,
 * so that what is stored today is not read by a quantum computer later. Says nothing about who encrypted it.
 */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { concat } from './bytes.ts'
import { hashInfo, open, seal } from './hpke.ts'
import { ML_KEM_CIPHERTEXT_LENGTH } from './ml-kem.ts'
import type { KeyPair } from './kem.ts'
import { HYBRID_SUITE, suiteOf } from './suite.ts'

/** A pair to encrypt to: `publicKey` 1,216 bytes, `secretKey` a 32-byte seed. */
export type BoxPair = KeyPair

const { hpke } = suiteOf(HYBRID_SUITE)
const OUTPUT_LENGTH = ML_KEM_CIPHERTEXT_LENGTH + 32

/** The pair of a secret of at least 32 bytes, always the same (DeriveKeyPair, RFC 9180 section 7.1.3). */
export const boxPairFrom = (secret: Bytes): Promise<BoxPair> => hpke.kem.derive(secret)

/** A fresh pair (GenerateKeyPair, RFC 9180 section 7.1.2). */
export const newBoxPair = (): Promise<BoxPair> => hpke.kem.generate()

/** The KEM output followed by the ciphertext (SealBase, RFC 9180 section 6.1). `info` is bound to it. Throws `invalid` for a bad key. */
export async function sealBox(request: { readonly publicKey: Bytes; readonly info: Bytes; readonly plaintext: Bytes }): Promise<Bytes> {
  const info = await hashInfo(hpke, request.info)
  const { kemOutput, ciphertext } = await seal(hpke, { publicKey: request.publicKey, info }, request.plaintext)
  return concat(kemOutput, ciphertext)
}

/** The inverse of `sealBox` (OpenBase, RFC 9180 section 6.1). Throws `auth_failed` or `malformed`. */
export async function openBox(request: { readonly pair: BoxPair; readonly info: Bytes; readonly sealed: Bytes }): Promise<Bytes> {
  const { pair, sealed } = request
  if (sealed.length < OUTPUT_LENGTH) throw new MlsError('malformed', `a box of ${sealed.length} bytes`)
  const parts = { kemOutput: sealed.slice(0, OUTPUT_LENGTH), ciphertext: sealed.slice(OUTPUT_LENGTH) }
  return open(hpke, { pair, info: await hashInfo(hpke, request.info) }, parts)
}
