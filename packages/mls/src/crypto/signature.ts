/** Signature schemes of RFC 9420 section 17.1: Ed25519 from WebCrypto where it exists, the others from noble. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ed448 } from '@noble/curves/ed448.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import type { Bytes, SignaturePair } from '../port.ts'
import { MlsError } from '../errors.ts'
import { isSoundEd25519Key } from './small-order.ts'
import { detect, keyCache, pkcs8, randomBytes } from './webcrypto.ts'

export interface SignatureScheme {
  /** Throws `invalid` for keys that no honest generator makes. */
  check(publicKey: Bytes): void
  generate(): Promise<SignaturePair>
  sign(secretKey: Bytes, message: Bytes): Promise<Bytes>
  /** False for any signature that is not good, whatever is wrong with it. */
  verify(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean>
}

const ALGORITHM = { name: 'Ed25519' }
const verifyingKey = keyCache((native, bytes) => native.importKey('raw', bytes, ALGORITHM, false, ['verify']))
const signingKey = keyCache((native, bytes) => native.importKey('pkcs8', pkcs8('Ed25519', bytes), ALGORITHM, false, ['sign']))

const nativeEd25519 = detect(async (native) => {
  const key = await native.importKey('pkcs8', pkcs8('Ed25519', new Uint8Array(32).fill(1)), ALGORITHM, false, ['sign'])
  return (await native.sign(ALGORITHM, key, new Uint8Array())).byteLength === 64
})

export const ED25519: SignatureScheme = {
  check: (key) => {
    if (key.length !== 32 || !isSoundEd25519Key(key)) throw new MlsError('invalid', 'signature key is not 32 bytes of large order')
  },
  generate: async () => {
    const secretKey = randomBytes(32)
    return { secretKey, publicKey: ed25519.getPublicKey(secretKey) }
  },
  sign: async (secretKey, message) => {
    const native = await nativeEd25519()
    if (!native) return ed25519.sign(message, secretKey)
    return new Uint8Array(await native.sign(ALGORITHM, await signingKey(native, secretKey), message))
  },
  verify: async (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64 || !isSoundEd25519Key(publicKey)) return false
    const native = await nativeEd25519()
    try {
      if (!native) return ed25519.verify(signature, message, publicKey, { zip215: false })
      return await native.verify(ALGORITHM, await verifyingKey(native, publicKey), signature, message)
    } catch {
      return false
    }
  },
}

export const ED448: SignatureScheme = {
  check: (key) => {
    if (key.length !== 57) throw new MlsError('invalid', 'signature key is not 57 bytes')
  },
  generate: async () => {
    const secretKey = randomBytes(57)
    return { secretKey, publicKey: ed448.getPublicKey(secretKey) }
  },
  sign: async (secretKey, message) => ed448.sign(message, secretKey),
  verify: async (publicKey, message, signature) => verifies(() => ed448.verify(signature, message, publicKey)),
}

/** ECDSA travels DER-encoded (RFC 8446 section 4.2.3); high S is allowed there. */
const DER = { format: 'der', lowS: false, prehash: true } as const

const ecdsa = (curve: typeof p256): SignatureScheme => ({
  check: (key) => {
    const length = 1 + 2 * curve.Point.Fp.BYTES
    const onCurve = () => {
      curve.Point.fromBytes(key).assertValidity()
      return true
    }
    if (key.length !== length || !verifies(onCurve)) throw new MlsError('invalid', 'signature key is no uncompressed point of the curve')
  },
  generate: async () => {
    const secretKey = curve.utils.randomSecretKey()
    return { secretKey, publicKey: curve.getPublicKey(secretKey, false) }
  },
  sign: async (secretKey, message) => curve.sign(message, secretKey, DER),
  verify: async (publicKey, message, signature) => verifies(() => curve.verify(signature, message, publicKey, DER)),
})

const verifies = (check: () => boolean): boolean => {
  try {
    return check()
  } catch {
    return false
  }
}

export const ECDSA_P256: SignatureScheme = ecdsa(p256)
export const ECDSA_P384: SignatureScheme = ecdsa(p384)
export const ECDSA_P521: SignatureScheme = ecdsa(p521)
