/** The ciphersuite table (RFC 9420 section 17.1) and the labelled operations every suite offers (sections 5 and 8). */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { encode, vectorLength } from '../public/codec.ts'
import type { Aead } from './aead.ts'
import { AES_128_GCM, AES_256_GCM } from './aead.ts'
import { bigEndian, concat, NONE, ofLabel, text } from './bytes.ts'
import type { Hash } from './hash.ts'
import { SHA256, SHA384 } from './hash.ts'
import { hashInfo, hpkeOf, open, seal } from './hpke.ts'
import type { HashedInfo, Hpke, HpkeCiphertext } from './hpke.ts'
import { DHKEM_X25519, MLKEM768_X25519 } from './kem.ts'
import type { Kem, KeyPair } from './kem.ts'
import { ED25519 } from './signature.ts'
import type { SignatureScheme } from './signature.ts'

export interface CipherSuite {
  /** The number on the wire. */
  readonly id: number
  /** For people: the KEM's parts. */
  readonly name: string
  readonly hash: Hash
  readonly aead: Aead
  readonly hpke: Hpke
  readonly signature: SignatureScheme
}

/** A suite, but for what follows from its parts. */
export type SuiteParts = Omit<CipherSuite, 'hpke'> & { readonly kem: Kem }

/**
 * MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519 of draft-ietf-mls-pq-ciphersuites-06, under a number of the private-use
 * range until IANA assigns one. Groups move to that number by ReInit.
 */
export const HYBRID_SUITE = 0xf47a

const suites = new Map<number, CipherSuite>()

const add = ({ kem, ...parts }: SuiteParts): void => {
  suites.set(parts.id, { ...parts, hpke: hpkeOf(kem, parts.hash, parts.aead) })
}

add({ id: 0x0001, name: 'X25519', kem: DHKEM_X25519, hash: SHA256, aead: AES_128_GCM, signature: ED25519 })
add({ id: HYBRID_SUITE, name: 'X25519+ML-KEM-768', kem: MLKEM768_X25519, hash: SHA384, aead: AES_256_GCM, signature: ED25519 })

/** The suites whose code is loaded on demand: 0x0002 to 0x0007. */
const OTHERS: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7])

/** The suite of a number, its code loaded when it is not one of the usual two. Throws `unsupported`. */
export const loadSuite = async (id: number): Promise<CipherSuite> => {
  if (OTHERS.has(id) && !suites.has(id)) {
    const { MORE_SUITES } = await import('./more-suites.ts')
    MORE_SUITES.forEach(add)
  }
  return suiteOf(id)
}

/** The suite of a number (RFC 9420 section 17.1); throws `unsupported` for one that does not exist or was not loaded. */
export const suiteOf = (id: number): CipherSuite => {
  const found = suites.get(id)
  if (!found) throw new MlsError('unsupported', `ciphersuite ${id}`)
  return found
}

/** Bytes, or the parts that they are made up of. */
export type Parts = Bytes | readonly Bytes[]

const partsOf = (value: Parts): readonly Bytes[] => (value instanceof Uint8Array ? [value] : value)

/** A label, as `opaque<V>`, and a content that becomes one, in parts. */
const labelled = (label: Bytes, content: Parts): readonly Bytes[] => {
  const parts = partsOf(content)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return [label, lengthOf(length), ...parts]
}
const withLabel = (label: string, content: Parts): Bytes => concat(...labelled(ofMls(label), content))

const SHORT = Array.from({ length: 64 }, (_, length) => Uint8Array.of(length))

/** What stands before an `opaque<V>`; most are too short to need a writer. */
const lengthOf = (length: number): Bytes => SHORT[length] ?? encode(vectorLength, length)

/** A label as `opaque<V>`; `ofMls` with what most labels of RFC 9420 begin with. */
const whole = (label: string): Bytes => {
  const name = text(label)
  return concat(lengthOf(name.length), name)
}
const ofMls = ofLabel((label) => whole(`MLS 1.0 ${label}`))

export interface Expansion {
  readonly label: string
  readonly context: Bytes
  /** In bytes. */
  readonly length: number
}

/** ExpandWithLabel (RFC 9420 section 8). */
export const expandWithLabel = (by: CipherSuite, secret: Bytes, expansion: Expansion): Bytes =>
  by.hash.expand(secret, infoOf(expansion), expansion.length)

/** ExpandWithLabel several times from one secret. */
export const expandAllWithLabels = (by: CipherSuite, secret: Bytes, expansions: readonly Expansion[]): Bytes[] =>
  by.hash.expandAll(
    secret,
    expansions.map((expansion) => ({ info: infoOf(expansion), length: expansion.length })),
  )

/** The KDFLabel of RFC 9420 section 8. */
const infoOf = ({ label, context, length }: Expansion): Bytes => {
  const info = concat(TWO_BYTES, ofMls(label), lengthOf(context.length), context)
  info[0] = length >>> 8
  info[1] = length
  return info
}
const TWO_BYTES = new Uint8Array(2)

/** DeriveSecret (RFC 9420 section 8). */
export const deriveSecret = (by: CipherSuite, secret: Bytes, label: string): Bytes =>
  expandWithLabel(by, secret, { label, context: NONE, length: by.hash.length })

/** DeriveTreeSecret (RFC 9420 section 9.1), for several labels of one generation. */
export const deriveTreeSecrets = (
  by: CipherSuite,
  secret: Bytes,
  { generation, wanted }: { generation: number; wanted: readonly { readonly label: string; readonly length: number }[] },
): Bytes[] => {
  const context = bigEndian(generation, 4)
  return by.hash.expandAll(
    secret,
    wanted.map(({ label, length }) => ({ info: infoOf({ label, context, length }), length })),
  )
}

/** RefHash (RFC 9420 section 5.2). `label` is whole, without the "MLS 1.0" of the others added. */
export const refHash = (by: CipherSuite, label: string, value: Bytes): Bytes => by.hash.digest(...labelled(whole(label), value))

/** As `refHash`, for values of a kilobyte and more. */
export const longRefHash = (by: CipherSuite, label: string, value: Bytes): Promise<Bytes> =>
  by.hash.longDigest(...labelled(whole(label), value))

/** SignWithLabel (RFC 9420 section 5.1.2). */
export const signWithLabel = (by: CipherSuite, secretKey: Bytes, signed: { label: string; content: Parts }): Promise<Bytes> =>
  by.signature.sign(secretKey, withLabel(signed.label, signed.content))

/** VerifyWithLabel (RFC 9420 section 5.1.2). */
export const verifyWithLabel = (
  by: CipherSuite,
  publicKey: Bytes,
  signed: { label: string; content: Parts; signature: Bytes },
): Promise<boolean> => by.signature.verify(publicKey, withLabel(signed.label, signed.content), signed.signature)

/** The info of EncryptWithLabel, hashed once for all recipients of one context (RFC 9420 section 5.1.3). */
export const encryptionInfo = (by: CipherSuite, label: string, context: Bytes): Promise<HashedInfo> =>
  hashInfo(by.hpke, ...labelled(ofMls(label), context))

/** EncryptWithLabel (RFC 9420 section 5.1.3). */
export const encryptWithLabel = (by: CipherSuite, to: { publicKey: Bytes; info: HashedInfo }, plaintext: Bytes): Promise<HpkeCiphertext> =>
  seal(by.hpke, to, plaintext)

/** DecryptWithLabel (RFC 9420 section 5.1.3). Throws `auth_failed`. */
export const decryptWithLabel = (by: CipherSuite, to: { pair: KeyPair; info: HashedInfo }, sealed: HpkeCiphertext): Promise<Bytes> =>
  open(by.hpke, to, sealed)
