/** What HPKE needs of a Diffie-Hellman group (RFC 9180 section 7.1), and X25519: from the platform where it has it, else from noble. */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { nodeX25519 } from '#node'
import { isSoundX25519Key } from './small-order.ts'
import { detect, pkcs8, randomBytes } from './webcrypto.ts'
import type { Subtle } from './webcrypto.ts'

export interface KeyPair {
  readonly publicKey: Bytes
  readonly secretKey: Bytes
}

export interface DhGroup {
  readonly publicKeyLength: number
  readonly secretKeyLength: number
  /** How DeriveKeyPair makes a secret key: from one expansion, or from candidates until one is in range. */
  readonly derivation: 'direct' | 'candidates'
  /** Throws `invalid` for a key of the wrong length, off the curve, or of small order. */
  check(publicKey: Bytes): void
  publicKeyOf(secretKey: Bytes): Promise<Bytes>
  agree(secretKey: Bytes, publicKey: Bytes): Promise<Bytes>
  /** Turns uniform bytes into a secret key, or undefined when they are out of range (NIST curves). */
  secretKeyFrom(uniform: Bytes): Bytes | undefined
}

/** A fresh pair. */
export const generateDhPair = async (group: DhGroup): Promise<KeyPair> => {
  for (;;) {
    const secretKey = group.secretKeyFrom(randomBytes(group.secretKeyLength))
    if (secretKey) return { secretKey, publicKey: await group.publicKeyOf(secretKey) }
  }
}

/** The refusal of a public key. */
export const badKey = (why: string, cause?: unknown): MlsError => new MlsError('invalid', `public key ${why}`, { cause })
export const checkLength = (key: Bytes, length: number): void => {
  if (key.length !== length) throw badKey(`has ${key.length} bytes, not ${length}`)
}

const BASE_POINT = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0))

const nativeX25519 = detect(async (native) => (await nativeAgree(native, new Uint8Array(32).fill(1), BASE_POINT)).length === 32)

const nativeAgree = async (native: Subtle, secretKey: Bytes, publicKey: Bytes): Promise<Bytes> => {
  const algorithm = { name: 'X25519' }
  const [own, their] = await Promise.all([
    native.importKey('pkcs8', pkcs8('X25519', secretKey), algorithm, false, ['deriveBits']),
    native.importKey('raw', publicKey, algorithm, false, []),
  ])
  return new Uint8Array(await native.deriveBits({ name: 'X25519', public: their }, own, 256))
}

const agreeX25519 = async (secretKey: Bytes, publicKey: Bytes): Promise<Bytes> => {
  const node = nodeX25519()
  if (node) return node.agree(secretKey, publicKey)
  const native = await nativeX25519()
  if (native) return nativeAgree(native, secretKey, publicKey)
  // Loaded where it is needed alone: most platforms have the native one.
  const { x25519 } = await import('@noble/curves/ed25519.js')
  return x25519.getSharedSecret(secretKey, publicKey)
}

const nativeAgreeFresh = async (native: Subtle, publicKey: Bytes): Promise<FreshAgreement> => {
  const algorithm = { name: 'X25519' }
  const [pair, their] = await Promise.all([
    native.generateKey(algorithm, false, ['deriveBits']),
    native.importKey('raw', publicKey, algorithm, false, []),
  ])
  const [own, shared] = await Promise.all([
    native.exportKey('raw', pair.publicKey),
    native.deriveBits({ name: 'X25519', public: their }, pair.privateKey, 256),
  ])
  return { publicKey: new Uint8Array(own), shared: new Uint8Array(shared) }
}

export interface FreshAgreement {
  readonly publicKey: Bytes
  readonly shared: Bytes
}

/** Agrees with a key pair made for this one time; its secret key is never seen. */
export const agreeFresh = async (group: DhGroup, publicKey: Bytes): Promise<FreshAgreement> => {
  group.check(publicKey)
  const node = group === X25519 ? nodeX25519() : undefined
  if (node) return node.agreeFresh(publicKey)
  const native = group === X25519 ? await nativeX25519() : undefined
  if (native) return nativeAgreeFresh(native, publicKey)
  const pair = await generateDhPair(group)
  return { publicKey: pair.publicKey, shared: await group.agree(pair.secretKey, publicKey) }
}

/** Secret keys come from stores, which may be damaged; platforms refuse such keys each in its own way. */
const expectSecret = (secretKey: Bytes): void => {
  if (secretKey.length !== 32) throw new MlsError('invalid', 'secret key has the wrong length')
}

export const X25519: DhGroup = {
  publicKeyLength: 32,
  secretKeyLength: 32,
  derivation: 'direct',
  check: (key) => {
    checkLength(key, 32)
    if (!isSoundX25519Key(key)) throw badKey('is of small order')
  },
  publicKeyOf: async (secretKey) => {
    expectSecret(secretKey)
    return nodeX25519()?.publicKeyOf(secretKey) ?? agreeX25519(secretKey, BASE_POINT)
  },
  agree: async (secretKey, publicKey) => {
    expectSecret(secretKey)
    X25519.check(publicKey)
    return agreeX25519(secretKey, publicKey)
  },
  secretKeyFrom: (uniform) => uniform,
}
