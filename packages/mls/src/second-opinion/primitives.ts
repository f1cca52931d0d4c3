/** The primitives of the second opinion: Node's own cryptography, and the constructions of RFC 9180 and RFC 9420 on top. */
import * as crypto from 'node:crypto'
import { join, opaque, same, uint } from './wire.ts'
import type { Sealed } from './wire.ts'

export interface Suite {
  readonly hash: 'sha256' | 'sha384'
  readonly hashLength: number
  readonly keyLength: 16 | 32
  readonly kem: 0x0020 | 0x647a
  /** "HPKE" with the numbers of KEM, KDF and AEAD. */
  readonly hpkeId: Uint8Array
}

const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words))
const NONE = new Uint8Array()

const hpkeId = (kem: number, kdf: number, aead: number): Uint8Array => join(text('HPKE'), uint(kem, 2), uint(kdf, 2), uint(aead, 2))

const SUITES: Readonly<Record<number, Suite>> = {
  0x0001: { hash: 'sha256', hashLength: 32, keyLength: 16, kem: 0x0020, hpkeId: hpkeId(0x0020, 1, 1) },
  0xf47a: { hash: 'sha384', hashLength: 48, keyLength: 32, kem: 0x647a, hpkeId: hpkeId(0x647a, 2, 2) },
}

export const suiteOf = (id: number): Suite => {
  const suite = SUITES[id]
  if (!suite) throw new Error(`second opinion: no suite ${id}`)
  return suite
}

type HashName = Suite['hash']

export const digest = (hash: HashName, bytes: Uint8Array): Uint8Array => new Uint8Array(crypto.createHash(hash).update(bytes).digest())
export const mac = (hash: HashName, key: Uint8Array, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(crypto.createHmac(hash, key).update(bytes).digest())

/** HKDF-Extract (RFC 5869 section 2.2). */
export const extract = (hash: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array => mac(hash, salt, ikm)

/** HKDF-Expand (RFC 5869 section 2.3). */
const expand = (hash: HashName, key: Uint8Array, use: { info: Uint8Array; length: number }): Uint8Array => {
  let last: Uint8Array = NONE
  let all: Uint8Array = NONE
  for (let counter = 1; all.length < use.length; counter++) {
    last = mac(hash, key, join(last, use.info, uint(counter, 1)))
    all = join(all, last)
  }
  return all.slice(0, use.length)
}

/** ExpandWithLabel (RFC 9420 section 8). */
export const expandWithLabel = (
  { hash }: Suite,
  secret: Uint8Array,
  use: { label: string; context?: Uint8Array; length: number },
): Uint8Array =>
  expand(hash, secret, {
    info: join(uint(use.length, 2), opaque(text(`MLS 1.0 ${use.label}`)), opaque(use.context ?? NONE)),
    length: use.length,
  })

export const derive = (suite: Suite, secret: Uint8Array, label: string): Uint8Array =>
  expandWithLabel(suite, secret, { label, length: suite.hashLength })

/** RefHash (section 5.2). */
export const refHash = ({ hash }: Suite, label: string, value: Uint8Array): Uint8Array =>
  digest(hash, join(opaque(text(`MLS 1.0 ${label}`)), opaque(value)))

const der = (prefix: string, key: Uint8Array): Buffer => Buffer.concat([Buffer.from(prefix, 'hex'), key])
const publicKey = (prefix: string, key: Uint8Array): crypto.KeyObject =>
  crypto.createPublicKey({ key: der(prefix, key), format: 'der', type: 'spki' })
const secretKey = (prefix: string, key: Uint8Array): crypto.KeyObject =>
  crypto.createPrivateKey({ key: der(prefix, key), format: 'der', type: 'pkcs8' })
const rawPublicKey = (key: crypto.KeyObject, length: number): Uint8Array =>
  new Uint8Array(crypto.createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-length))

const ED25519 = '302a300506032b6570032100'
const X25519 = { public: '302a300506032b656e032100', secret: '302e020100300506032b656e04220420' }
/** RFC 9935; the secret key as its seed. */
const ML_KEM = { secret: '3054020100300b060960864801650304040204428040' }

/** VerifyWithLabel (section 5.1.2) under Ed25519. */
export const verify = (key: Uint8Array, label: string, signed: { content: Uint8Array; signature: Uint8Array }): boolean => {
  const message = join(opaque(text(`MLS 1.0 ${label}`)), opaque(signed.content))
  return crypto.verify(null, message, publicKey(ED25519, key), signed.signature)
}

/** Opens AES-GCM; throws when the tag is wrong. */
export const openAead = (
  { keyLength }: Suite,
  use: { key: Uint8Array; nonce: Uint8Array; aad?: Uint8Array },
  sealed: Uint8Array,
): Uint8Array => {
  const decipher = crypto.createDecipheriv(keyLength === 16 ? 'aes-128-gcm' : 'aes-256-gcm', use.key, use.nonce)
  decipher.setAAD(use.aad ?? NONE)
  decipher.setAuthTag(sealed.subarray(-16))
  return join(decipher.update(sealed.subarray(0, -16)), decipher.final())
}

const V1 = text('HPKE-v1')

const labeledExtract = (hash: HashName, id: Uint8Array, use: { salt: Uint8Array; label: string; ikm: Uint8Array }): Uint8Array =>
  extract(hash, use.salt, join(V1, id, text(use.label), use.ikm))

const labeledExpand = (
  hash: HashName,
  id: Uint8Array,
  use: { key: Uint8Array; label: string; info: Uint8Array; length: number },
): Uint8Array => expand(hash, use.key, { info: join(uint(use.length, 2), V1, id, text(use.label), use.info), length: use.length })

export interface Pair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

const shake = (bytes: Uint8Array, outputLength: number): Uint8Array =>
  new Uint8Array(crypto.createHash('shake256', { outputLength }).update(bytes).digest())

const kemId = (suite: Suite): Uint8Array => join(text('KEM'), uint(suite.kem, 2))

/** The two secret keys that a hybrid seed stands for. */
const hybridKeys = (seed: Uint8Array) => {
  const expanded = shake(seed, 96)
  return { mlKem: secretKey(ML_KEM.secret, expanded.subarray(0, 64)), x25519: secretKey(X25519.secret, expanded.subarray(64)) }
}

export const pairOf = (suite: Suite, secret: Uint8Array): Pair => {
  if (suite.kem === 0x0020) return { secretKey: secret, publicKey: rawPublicKey(secretKey(X25519.secret, secret), 32) }
  const { mlKem, x25519 } = hybridKeys(secret)
  return { secretKey: secret, publicKey: join(rawPublicKey(mlKem, 1184), rawPublicKey(x25519, 32)) }
}

/** DeriveKeyPair (RFC 9180 section 7.1.3; draft-ietf-hpke-pq for the hybrid). */
export const derivePair = (suite: Suite, ikm: Uint8Array): Pair => {
  const id = kemId(suite)
  if (suite.kem === 0x0020) {
    const key = labeledExtract('sha256', id, { salt: NONE, label: 'dkp_prk', ikm })
    return pairOf(suite, labeledExpand('sha256', id, { key, label: 'sk', info: NONE, length: 32 }))
  }
  const name = text('DeriveKeyPair')
  return pairOf(suite, shake(join(ikm, V1, id, uint(name.length, 2), name, uint(32, 2)), 32))
}

const agree = (secret: crypto.KeyObject, theirs: Uint8Array): Uint8Array =>
  new Uint8Array(crypto.diffieHellman({ privateKey: secret, publicKey: publicKey(X25519.public, theirs) }))

const decapsulate = (suite: Suite, pair: Pair, output: Uint8Array): Uint8Array => {
  if (suite.kem === 0x0020) {
    const id = kemId(suite)
    const shared = agree(secretKey(X25519.secret, pair.secretKey), output)
    const key = labeledExtract('sha256', id, { salt: NONE, label: 'eae_prk', ikm: shared })
    return labeledExpand('sha256', id, { key, label: 'shared_secret', info: join(output, pair.publicKey), length: 32 })
  }
  const { mlKem, x25519 } = hybridKeys(pair.secretKey)
  const ephemeral = output.subarray(1088)
  const first = new Uint8Array(crypto.decapsulate(mlKem, output.subarray(0, 1088)))
  const combined = join(first, agree(x25519, ephemeral), ephemeral, pair.publicKey.subarray(1184), text('\\.//^\\'))
  return new Uint8Array(crypto.createHash('sha3-256').update(combined).digest())
}

/** The key schedule of RFC 9180 section 5.1 in base mode. */
const hpkeSchedule = (suite: Suite, shared: Uint8Array, info: Uint8Array) => {
  const { hash, hpkeId: id } = suite
  const hashed = (label: string, ikm: Uint8Array): Uint8Array => labeledExtract(hash, id, { salt: NONE, label, ikm })
  const context = join(Uint8Array.of(0), hashed('psk_id_hash', NONE), hashed('info_hash', info))
  const secret = labeledExtract(hash, id, { salt: shared, label: 'secret', ikm: NONE })
  return (label: string, length: number): Uint8Array => labeledExpand(hash, id, { key: secret, label, info: context, length })
}

/** DecryptWithLabel (RFC 9420 section 5.1.3). */
export const openSealed = (suite: Suite, pair: Pair, use: { label: string; context: Uint8Array; sealed: Sealed }): Uint8Array => {
  const info = join(opaque(text(`MLS 1.0 ${use.label}`)), opaque(use.context))
  const made = hpkeSchedule(suite, decapsulate(suite, pair, use.sealed.kemOutput), info)
  return openAead(suite, { key: made('key', suite.keyLength), nonce: made('base_nonce', 12) }, use.sealed.ciphertext)
}

/** The init secret of an external commit (section 8.3). */
export const externalInit = (suite: Suite, externalSecret: Uint8Array, kemOutput: Uint8Array): Uint8Array => {
  const shared = decapsulate(suite, derivePair(suite, externalSecret), kemOutput)
  const key = hpkeSchedule(suite, shared, NONE)('exp', suite.hashLength)
  return labeledExpand(suite.hash, suite.hpkeId, {
    key,
    label: 'sec',
    info: text('MLS 1.0 external init secret'),
    length: suite.hashLength,
  })
}

export const demandSame = (a: Uint8Array, b: Uint8Array, what: string): void => {
  if (!same(a, b)) throw new Error(`second opinion: ${what} differs`)
}
