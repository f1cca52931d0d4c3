/**
 * The primitives of the ciphersuites that browsers do not have natively or that nobody uses here: X448, Ed448, the NIST
 * curves, ChaCha20-Poly1305. All from noble, in a module of its own so that it is loaded with a suite that needs it.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed448, x448 } from '@noble/curves/ed448.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { MlsError } from '../errors.ts'
import type { Aead } from './aead.ts'
import { forged } from './aead.ts'
import { badKey, checkLength } from './dh.ts'
import type { DhGroup } from './dh.ts'
import { hashWith, SHA256, SHA384 } from './hash.ts'
import type { Hash } from './hash.ts'
import { dhKem } from './kem.ts'
import type { Kem } from './kem.ts'
import type { SignatureScheme } from './signature.ts'
import { randomBytes } from './webcrypto.ts'

export const SHA512: Hash = hashWith('SHA-512', sha512)

export const CHACHA20_POLY1305: Aead = {
  id: 0x0003,
  keyLength: 32,
  nonceLength: 12,
  seal: async ({ key, nonce, aad }, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
  open: async ({ key, nonce, aad }, ciphertext) => {
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(ciphertext)
    } catch (cause) {
      throw forged(cause)
    }
  },
}

const X448: DhGroup = {
  publicKeyLength: 56,
  secretKeyLength: 56,
  derivation: 'direct',
  check: (key) => checkLength(key, 56),
  publicKeyOf: async (secretKey) => x448.getPublicKey(secretKey),
  agree: async (secretKey, publicKey) => {
    try {
      return x448.getSharedSecret(secretKey, publicKey)
    } catch (cause) {
      throw badKey('is of small order', cause)
    }
  },
  secretKeyFrom: (uniform) => uniform,
}

/** `mask` clears the bits of the first byte above the field size (RFC 9180 section 7.1.3). */
const nist = (curve: typeof p256, publicKeyLength: number, secretKeyLength: number, mask: number): DhGroup => ({
  publicKeyLength,
  secretKeyLength,
  derivation: 'candidates',
  check: (key) => {
    checkLength(key, publicKeyLength)
    try {
      curve.Point.fromBytes(key).assertValidity()
    } catch (cause) {
      throw badKey('is no point of the curve', cause)
    }
  },
  publicKeyOf: async (secretKey) => curve.getPublicKey(secretKey, false),
  agree: async (secretKey, publicKey) => {
    try {
      return curve.getSharedSecret(secretKey, publicKey, false).slice(1, 1 + secretKeyLength)
    } catch (cause) {
      throw badKey('is no point of the curve', cause)
    }
  },
  secretKeyFrom: (uniform) => {
    const secretKey = uniform.map((byte, at) => (at === 0 ? byte & mask : byte))
    return curve.utils.isValidSecretKey(secretKey) ? secretKey : undefined
  },
})

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

export const DHKEM_P256: Kem = dhKem(0x0010, nist(p256, 65, 32, 0xff), SHA256)
export const DHKEM_P384: Kem = dhKem(0x0011, nist(p384, 97, 48, 0xff), SHA384)
export const DHKEM_P521: Kem = dhKem(0x0012, nist(p521, 133, 66, 0x01), SHA512)
export const DHKEM_X448: Kem = dhKem(0x0021, X448, SHA512)
