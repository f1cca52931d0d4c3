/** Key encapsulation for HPKE: DHKEM (RFC 9180 section 4.1) and the X25519+ML-KEM-768 hybrid (draft-ietf-hpke-pq, 0x647A). */
import { sha3_256, shake256 as keccak } from '@noble/hashes/sha3.js'
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { bigEndian, concat, labelBytes, NONE, text, wipe } from './bytes.ts'
import { agreeFresh, generateDhPair, X25519 } from './dh.ts'
import type { DhGroup, FreshAgreement, KeyPair } from './dh.ts'
import type { Hash, Wanted } from './hash.ts'
import { SHA256 } from './hash.ts'
import {
  isReducedMlKemKey,
  ML_KEM_CIPHERTEXT_LENGTH,
  ML_KEM_PUBLIC_LENGTH,
  mlKemDecapsulate,
  mlKemEncapsulate,
  mlKemPublicKeyOf,
} from './ml-kem.ts'
import { nodeKeccak } from '#node'
import { randomBytes } from './webcrypto.ts'

export type { KeyPair } from './dh.ts'

export interface Encapsulated {
  readonly shared: Bytes
  /** The KEM output that travels, `enc` of RFC 9180. */
  readonly output: Bytes
}

export interface Kem {
  /** HPKE KEM identifier. */
  readonly id: number
  readonly publicKeyLength: number
  /** Throws `invalid` for keys that no honest generator makes. */
  check(publicKey: Bytes): void
  generate(): Promise<KeyPair>
  /** DeriveKeyPair of RFC 9180 section 4. */
  derive(ikm: Bytes): Promise<KeyPair>
  publicKeyOf(secretKey: Bytes): Promise<Bytes>
  /** `randomness` makes the result reproducible, for test vectors only. */
  encapsulate(publicKey: Bytes, randomness?: Bytes): Promise<Encapsulated>
  /** Takes the pair because the public key is bound into the shared secret and is at hand everywhere. */
  decapsulate(pair: KeyPair, output: Bytes): Promise<Bytes>
}

const HPKE_V1 = text('HPKE-v1')

/** LabeledExtract of RFC 9180 section 4. */
export const labeledExtract = (use: { hash: Hash; suiteId: Bytes }, salt: Bytes, label: string, ikm: Bytes): Bytes =>
  use.hash.extract(salt, HPKE_V1, use.suiteId, labelBytes(label), ikm)

/** As `labeledExtract`, for long input in parts. */
export const longLabeledExtract = (
  use: { hash: Hash; suiteId: Bytes },
  salt: Bytes,
  label: string,
  ikm: readonly Bytes[],
): Promise<Bytes> => use.hash.longHmac(salt, HPKE_V1, use.suiteId, labelBytes(label), ...ikm)

interface LabeledExpansion {
  readonly label: string
  readonly info: Bytes
  readonly length: number
}

/** What LabeledExpand of RFC 9180 section 4 expands. */
export const labeledInfo = ({ suiteId }: { suiteId: Bytes }, { label, info, length }: LabeledExpansion): Wanted => ({
  info: concat(bigEndian(length, 2), HPKE_V1, suiteId, labelBytes(label), info),
  length,
})

/** LabeledExpand of RFC 9180 section 4. */
export const labeledExpand = (use: { hash: Hash; suiteId: Bytes }, prk: Bytes, expand: LabeledExpansion): Bytes =>
  use.hash.expand(prk, labeledInfo(use, expand).info, expand.length)

const agreeWith = async (group: DhGroup, own: KeyPair, publicKey: Bytes): Promise<FreshAgreement> => ({
  publicKey: own.publicKey,
  shared: await group.agree(own.secretKey, publicKey),
})

/** DHKEM over a group (RFC 9180 section 4.1). */
export const dhKem = (id: number, group: DhGroup, hash: Hash): Kem => {
  const use = { hash, suiteId: concat(text('KEM'), bigEndian(id, 2)) }
  const sharedFrom = (dh: Bytes, context: Bytes): Bytes => {
    const prk = labeledExtract(use, NONE, 'eae_prk', dh)
    const shared = labeledExpand(use, prk, { label: 'shared_secret', info: context, length: hash.length })
    wipe(dh, prk)
    return shared
  }
  const derive = async (ikm: Bytes): Promise<KeyPair> => {
    const prk = labeledExtract(use, NONE, 'dkp_prk', ikm)
    // X25519 and X448 take one expansion labelled "sk"; the NIST curves sample candidates.
    const sampled = group.derivation === 'direct' ? { label: 'sk', tries: 1 } : { label: 'candidate', tries: 256 }
    for (let counter = 0; counter < sampled.tries; counter++) {
      const info = sampled.tries === 1 ? NONE : bigEndian(counter, 1)
      const secretKey = group.secretKeyFrom(labeledExpand(use, prk, { label: sampled.label, info, length: group.secretKeyLength }))
      if (secretKey) return { secretKey, publicKey: await group.publicKeyOf(secretKey) }
    }
    throw new MlsError('invalid', 'no key pair can be derived')
  }
  return {
    id,
    publicKeyLength: group.publicKeyLength,
    check: (publicKey) => group.check(publicKey),
    generate: () => generateDhPair(group),
    derive,
    publicKeyOf: (secretKey) => group.publicKeyOf(secretKey),
    encapsulate: async (publicKey, randomness) => {
      const fresh = await (randomness ? agreeWith(group, await derive(randomness), publicKey) : agreeFresh(group, publicKey))
      return { shared: sharedFrom(fresh.shared, concat(fresh.publicKey, publicKey)), output: fresh.publicKey }
    },
    decapsulate: async (pair, output) => sharedFrom(await group.agree(pair.secretKey, output), concat(output, pair.publicKey)),
  }
}

const HYBRID_LABEL = text('\\.//^\\')
const HYBRID_SUITE_ID = concat(text('KEM'), bigEndian(0x647a, 2))

const shake256 = (input: Bytes, length: number): Bytes => nodeKeccak()?.shake256(input, length) ?? keccak(input, { dkLen: length })
const sha3 = (input: Bytes): Bytes => nodeKeccak()?.sha3(input) ?? sha3_256(input)

/** The seed expands to the ML-KEM seed and the X25519 secret key. */
const expandSeed = (seed: Bytes): { mlKem: Bytes; x25519: Bytes } => {
  const expanded = shake256(seed, 96)
  return { mlKem: expanded.slice(0, 64), x25519: expanded.slice(64) }
}

const hybridPublicKeyOf = async (seed: Bytes): Promise<Bytes> => {
  const { mlKem, x25519 } = expandSeed(seed)
  const [first, second] = await Promise.all([mlKemPublicKeyOf(mlKem), X25519.publicKeyOf(x25519)])
  wipe(mlKem, x25519)
  return concat(first, second)
}

const combine = (shared: { mlKem: Bytes; x25519: Bytes }, ephemeral: Bytes, recipient: Bytes): Bytes => {
  const combined = sha3(concat(shared.mlKem, shared.x25519, ephemeral, recipient, HYBRID_LABEL))
  wipe(shared.mlKem, shared.x25519)
  return combined
}

/** SHAKE256.LabeledDerive of draft-ietf-hpke-hpke, with which draft-ietf-hpke-pq derives key pairs. */
const labeledDerive = (ikm: Bytes, label: string, length: number): Bytes => {
  const name = labelBytes(label)
  return shake256(concat(ikm, HPKE_V1, HYBRID_SUITE_ID, bigEndian(name.length, 2), name, bigEndian(length, 2)), length)
}

/** Its secret key is the 32-byte seed; its public key is ML-KEM's followed by X25519's. */
export const MLKEM768_X25519: Kem = {
  id: 0x647a,
  publicKeyLength: ML_KEM_PUBLIC_LENGTH + 32,
  check: (publicKey) => {
    if (publicKey.length !== ML_KEM_PUBLIC_LENGTH + 32) throw new MlsError('invalid', `public key has ${publicKey.length} bytes`)
    if (!isReducedMlKemKey(publicKey)) throw new MlsError('invalid', 'public key is no reduced ML-KEM key')
    X25519.check(publicKey.subarray(ML_KEM_PUBLIC_LENGTH))
  },
  generate: async () => {
    const secretKey = randomBytes(32)
    return { secretKey, publicKey: await hybridPublicKeyOf(secretKey) }
  },
  derive: async (ikm) => {
    const secretKey = labeledDerive(ikm, 'DeriveKeyPair', 32)
    return { secretKey, publicKey: await hybridPublicKeyOf(secretKey) }
  },
  publicKeyOf: hybridPublicKeyOf,
  encapsulate: async (publicKey, randomness) => {
    MLKEM768_X25519.check(publicKey)
    const theirs = publicKey.subarray(ML_KEM_PUBLIC_LENGTH)
    const agree = async (): Promise<FreshAgreement> => {
      if (!randomness) return agreeFresh(X25519, theirs)
      const secretKey = randomness.slice(32)
      return agreeWith(X25519, { secretKey, publicKey: await X25519.publicKeyOf(secretKey) }, theirs)
    }
    const mlKem = mlKemEncapsulate(publicKey.subarray(0, ML_KEM_PUBLIC_LENGTH), randomness?.slice(0, 32))
    const [encapsulated, fresh] = await Promise.all([mlKem, agree()])
    const shared = combine({ mlKem: encapsulated.shared, x25519: fresh.shared }, fresh.publicKey, theirs)
    return { shared, output: concat(encapsulated.ciphertext, fresh.publicKey) }
  },
  decapsulate: async (pair, output) => {
    if (output.length !== ML_KEM_CIPHERTEXT_LENGTH + 32) throw new MlsError('malformed', `KEM output of ${output.length} bytes`)
    const seeds = expandSeed(pair.secretKey)
    const ephemeral = output.slice(ML_KEM_CIPHERTEXT_LENGTH)
    const [mlKem, x25519] = await Promise.all([
      mlKemDecapsulate(seeds.mlKem, output.slice(0, ML_KEM_CIPHERTEXT_LENGTH)),
      X25519.agree(seeds.x25519, ephemeral),
    ])
    wipe(seeds.mlKem, seeds.x25519)
    return combine({ mlKem, x25519 }, ephemeral, pair.publicKey.slice(ML_KEM_PUBLIC_LENGTH))
  },
}

export const DHKEM_X25519: Kem = dhKem(0x0020, X25519, SHA256)
