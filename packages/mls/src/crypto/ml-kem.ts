/** ML-KEM-768 (FIPS 203) with its secret key as the 64-byte seed: the platform's where it has one, elsewhere noble's, loaded where it is needed. */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { nodeMlKem } from '#node'
import { detect } from './webcrypto.ts'
import type { NativeKey, Subtle } from './webcrypto.ts'

export const ML_KEM_PUBLIC_LENGTH = 1184
export const ML_KEM_CIPHERTEXT_LENGTH = 1088

const ALGORITHM = { name: 'ML-KEM-768' }
const MODULUS = 3329

const inJavaScript = async () => (await import('@noble/post-quantum/ml-kem.js')).ml_kem768

/** FIPS 203 section 7.2: every twelve-bit coefficient is reduced. Checked here because not every platform does. */
export const isReducedMlKemKey = (key: Bytes): boolean => {
  for (let at = 0; at + 3 <= 1152; at += 3) {
    const middle = key[at + 1] ?? 0
    const low = (key[at] ?? 0) | ((middle & 0x0f) << 8)
    const high = (middle >> 4) | ((key[at + 2] ?? 0) << 4)
    if (low >= MODULUS || high >= MODULUS) return false
  }
  return true
}

const loadSeed = (native: Subtle, seed: Bytes): Promise<NativeKey> =>
  native.importKey('raw-seed', seed, ALGORITHM, true, ['decapsulateBits'])

const nativePublicKeyOf = async (native: Subtle, seed: Bytes): Promise<Bytes> => {
  const secretKey = await loadSeed(native, seed)
  const publicKey = await native.getPublicKey?.(secretKey, ['encapsulateBits'])
  if (!publicKey) return (await inJavaScript()).keygen(seed).publicKey
  return new Uint8Array(await native.exportKey('raw-public', publicKey))
}

const nativeMlKem = detect(async (native) => {
  const seed = new Uint8Array(64).fill(7)
  const publicKey = await nativePublicKeyOf(native, seed)
  const imported = await native.importKey('raw-public', publicKey, ALGORITHM, false, ['encapsulateBits'])
  const made = await native.encapsulateBits?.(ALGORITHM, imported)
  return made !== undefined && native.decapsulateBits !== undefined && made.ciphertext.byteLength === ML_KEM_CIPHERTEXT_LENGTH
})

export const mlKemPublicKeyOf = async (seed: Bytes): Promise<Bytes> => {
  const node = nodeMlKem()
  if (node) return node.publicKeyOf(seed)
  const native = await nativeMlKem()
  return native ? nativePublicKeyOf(native, seed) : (await inJavaScript()).keygen(seed).publicKey
}

/** `randomness` (32 bytes) makes the result reproducible, for test vectors only. */
export const mlKemEncapsulate = async (publicKey: Bytes, randomness?: Bytes): Promise<{ shared: Bytes; ciphertext: Bytes }> => {
  const node = randomness ? undefined : nodeMlKem()
  if (node) return node.encapsulate(publicKey)
  const native = randomness ? undefined : await nativeMlKem()
  if (native?.encapsulateBits) {
    const imported = await native.importKey('raw-public', publicKey, ALGORITHM, false, ['encapsulateBits'])
    const made = await native.encapsulateBits(ALGORITHM, imported)
    return { shared: new Uint8Array(made.sharedKey), ciphertext: new Uint8Array(made.ciphertext) }
  }
  const made = (await inJavaScript()).encapsulate(publicKey, randomness)
  return { shared: made.sharedSecret, ciphertext: made.cipherText }
}

export const mlKemDecapsulate = async (seed: Bytes, ciphertext: Bytes): Promise<Bytes> => {
  if (ciphertext.length !== ML_KEM_CIPHERTEXT_LENGTH) throw new MlsError('malformed', `KEM output of ${ciphertext.length} bytes`)
  const node = nodeMlKem()
  if (node) return node.decapsulate(seed, ciphertext)
  const native = await nativeMlKem()
  if (native?.decapsulateBits) return new Uint8Array(await native.decapsulateBits(ALGORITHM, await loadSeed(native, seed), ciphertext))
  const mlKem = await inJavaScript()
  return mlKem.decapsulate(ciphertext, mlKem.keygen(seed).secretKey)
}
