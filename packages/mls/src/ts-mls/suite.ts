/**
 * What the engine is built on: one ciphersuite of `ts-mls` with its random source, the numbers it puts on the wire, and
 * the limits it holds.
 */
import { XWing } from '@hpke/hybridkem-x-wing'
import { x25519 } from '@noble/curves/ed25519.js'
import { ciphersuites, getCiphersuiteFromName, getCiphersuiteImpl } from 'ts-mls'
import type { CiphersuiteImpl, CiphersuiteName } from 'ts-mls'
import type { Bytes } from '../port.ts'

/** Chooses the ciphersuite: post-quantum hybrid (the default) or the classical suite 0x0001. */
export type SuiteKind = 'hybrid' | 'classic'

export interface TsMlsOptions {
  readonly suite?: SuiteKind
  /**
   * Source of path secrets, epoch secrets, reuse guards and signature seeds; the platform's generator unless given. HPKE
   * draws its ephemeral keys from the platform in any case, so a seed here does not make a whole run repeatable.
   */
  readonly randomness?: (length: number) => Bytes
}

/** The ciphersuite with all that the modules of this folder need to know about it. */
export interface Suite {
  readonly cs: CiphersuiteImpl
  readonly id: number
  readonly label: string
  readonly kem: SuiteKind
  readonly kemKeyLength: number
  /** The HPKE public key that belongs to a private one; `ts-mls` has no such function. */
  readonly kemPublicKey: (privateKey: Bytes) => Promise<Bytes>
}

/** Private-use extension types (RFC 9420 section 17.3). */
export const POLICY_EXTENSION = 0xf0a1
export const NOTE_EXTENSION = 0xf0a2
/** `last_resort_key_package` of draft-ietf-mls-extensions. */
export const LAST_RESORT_EXTENSION = 0x000a

/** Bytes, but for `members` and `lifetime` (seconds). */
export const LIMITS = {
  keyPackage: 16 * 1024,
  credential: 4 * 1024,
  note: 256,
  policy: 64 * 1024,
  authenticatedData: 64 * 1024,
  groupId: 255,
  payload: 256 * 1024,
  privateMessage: 1024 * 1024,
  handshake: 4 * 1024 * 1024,
  welcome: 4 * 1024 * 1024,
  groupInfo: 4 * 1024 * 1024,
  snapshot: 64 * 1024 * 1024,
  members: 1024,
  lifetime: 90n * 86_400n,
} as const

const NAMES: Readonly<Record<SuiteKind, CiphersuiteName>> = {
  hybrid: 'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
  classic: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
}
const LABELS: Readonly<Record<SuiteKind, string>> = { hybrid: 'X25519+ML-KEM-768', classic: 'X25519' }

/** Loads a ciphersuite. */
export const loadSuite = async ({ suite: kem = 'hybrid', randomness }: TsMlsOptions): Promise<Suite> => {
  const name = NAMES[kem]
  const impl = await getCiphersuiteImpl(getCiphersuiteFromName(name))
  const cs = randomness === undefined ? impl : { ...impl, rng: { randomBytes: (length: number) => new Uint8Array(randomness(length)) } }
  return {
    cs,
    id: ciphersuites[name],
    label: LABELS[kem],
    kem,
    kemKeyLength: kem === 'hybrid' ? 1216 : 32,
    kemPublicKey: kem === 'hybrid' ? xWingPublicKey : (privateKey) => Promise.resolve(x25519.getPublicKey(privateKey)),
  }
}

const xWing = new XWing()

const xWingPublicKey = async (privateKey: Bytes): Promise<Bytes> => {
  const { publicKey } = await xWing.generateKeyPairDerand(new Uint8Array(privateKey))
  return new Uint8Array(await xWing.serializePublicKey(publicKey))
}
