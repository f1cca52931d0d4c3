/**
 * HPKE in base mode (RFC 9180 section 5). The info string is hashed apart from the encapsulation, because MLS encrypts to
 * many keys under one long info (an encrypted GroupInfo, a group context).
 */
import type { Bytes } from '../port.ts'
import type { Aead } from './aead.ts'
import { bigEndian, concat, NONE, text, wipe } from './bytes.ts'
import type { Hash, Wanted } from './hash.ts'
import { labeledExpand, labeledExtract, labeledInfo, longLabeledExtract } from './kem.ts'
import type { Kem, KeyPair } from './kem.ts'

export interface Hpke {
  readonly kem: Kem
  readonly hash: Hash
  readonly aead: Aead
  /** "HPKE" and the three identifiers. */
  readonly suiteId: Bytes
}

/** KDF identifiers of RFC 9180 section 7.2, by output length. */
const KDF_IDS: Readonly<Record<number, number>> = { 32: 1, 48: 2, 64: 3 }

export const hpkeOf = (kem: Kem, hash: Hash, aead: Aead): Hpke => ({
  kem,
  hash,
  aead,
  suiteId: concat(text('HPKE'), bigEndian(kem.id, 2), bigEndian(KDF_IDS[hash.length] ?? 0, 2), bigEndian(aead.id, 2)),
})

/** What HPKE sends: both parts of HPKECiphertext in RFC 9420 section 7.6. */
export interface HpkeCiphertext {
  readonly kemOutput: Bytes
  readonly ciphertext: Bytes
}

/** An info string, hashed: the key schedule context of RFC 9180 section 5.1, and what key and nonce are expanded from. */
export interface HashedInfo {
  readonly context: Bytes
  readonly wanted: readonly Wanted[]
}

const BASE_MODE = Uint8Array.of(0)

/** `info` in parts: an encrypted GroupInfo is a megabyte. */
export const hashInfo = async (hpke: Hpke, ...info: readonly Bytes[]): Promise<HashedInfo> => {
  const hashed = await longLabeledExtract(hpke, NONE, 'info_hash', info)
  const context = concat(BASE_MODE, labeledExtract(hpke, NONE, 'psk_id_hash', NONE), hashed)
  const wanted = (label: string, length: number): Wanted => labeledInfo(hpke, { label, info: context, length })
  return { context, wanted: [wanted('key', hpke.aead.keyLength), wanted('base_nonce', hpke.aead.nonceLength)] }
}

const scheduleSecret = (hpke: Hpke, shared: Bytes): Bytes => {
  const secret = labeledExtract(hpke, shared, 'secret', NONE)
  wipe(shared)
  return secret
}

const keyAndNonce = (hpke: Hpke, shared: Bytes, info: HashedInfo): { key: Bytes; nonce: Bytes } => {
  const [key = NONE, nonce = NONE] = hpke.hash.expandAll(scheduleSecret(hpke, shared), info.wanted)
  return { key, nonce }
}

/** SealBase with empty AAD: one message per encapsulation, so the sequence number is always zero. */
export const seal = async (hpke: Hpke, to: { publicKey: Bytes; info: HashedInfo }, plaintext: Bytes): Promise<HpkeCiphertext> => {
  const { shared, output } = await hpke.kem.encapsulate(to.publicKey)
  const ciphertext = await hpke.aead.seal({ ...keyAndNonce(hpke, shared, to.info), aad: NONE }, plaintext)
  return { kemOutput: output, ciphertext }
}

/** OpenBase with empty AAD. Throws `auth_failed`. */
export const open = async (hpke: Hpke, to: { pair: KeyPair; info: HashedInfo }, sealed: HpkeCiphertext): Promise<Bytes> => {
  const shared = await hpke.kem.decapsulate(to.pair, sealed.kemOutput)
  return hpke.aead.open({ ...keyAndNonce(hpke, shared, to.info), aad: NONE }, sealed.ciphertext)
}

const exportFrom = async (hpke: Hpke, shared: Bytes, wanted: { label: Bytes; length: number }): Promise<Bytes> => {
  const { context } = await hashInfo(hpke)
  const secret = scheduleSecret(hpke, shared)
  const exporter = labeledExpand(hpke, secret, { label: 'exp', info: context, length: hpke.hash.length })
  return labeledExpand(hpke, exporter, { label: 'sec', info: wanted.label, length: wanted.length })
}

/** SetupBaseS with empty info followed by Export (RFC 9420 section 8.3). */
export const sendExport = async (hpke: Hpke, publicKey: Bytes, wanted: { label: Bytes; length: number }) => {
  const { shared, output } = await hpke.kem.encapsulate(publicKey)
  return { kemOutput: output, exported: await exportFrom(hpke, shared, wanted) }
}

/** SetupBaseR with empty info followed by Export. */
export const receiveExport = async (hpke: Hpke, from: { pair: KeyPair; kemOutput: Bytes }, wanted: { label: Bytes; length: number }) =>
  exportFrom(hpke, await hpke.kem.decapsulate(from.pair, from.kemOutput), wanted)
