/** The key schedule (RFC 9420 section 8), PSKs (8.4), exporter (8.5) and external init (8.3). */
import type { Bytes } from '../port.ts'
import { text, wipe } from '../crypto/bytes.ts'
import { receiveExport, sendExport } from '../crypto/hpke.ts'
import type { KeyPair } from '../crypto/kem.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { deriveSecret, expandWithLabel } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { encode, struct, uint16 } from '../public/codec.ts'
import { groupContextCodec } from '../public/group-info.ts'
import type { GroupContext } from '../public/group-info.ts'
import { pskIdCodec } from '../public/proposal.ts'
import type { PskId } from '../public/proposal.ts'

/** What an epoch keeps. Its epoch secret, joiner secret and encryption secret are consumed where they are made. */
export interface EpochSecrets {
  readonly senderData: Bytes
  readonly exporter: Bytes
  readonly external: Bytes
  readonly confirmation: Bytes
  readonly membership: Bytes
  readonly resumption: Bytes
  readonly authenticator: Bytes
  readonly init: Bytes
}

const zeros = (by: CipherSuite): Bytes => new Uint8Array(by.hash.length)

/** The commit secret of a commit without a path. */
export const noCommitSecret = zeros

/** The joiner secret of an epoch. `context` is that epoch's. */
export const joinerSecretOf = (by: CipherSuite, from: { init: Bytes; commit: Bytes }, context: GroupContext): Bytes => {
  const extracted = by.hash.extract(from.init, from.commit)
  const joiner = expandWithLabel(by, extracted, { label: 'joiner', context: encode(groupContextCodec, context), length: by.hash.length })
  wipe(extracted)
  return joiner
}

export interface MemberSecret {
  /** Encrypts the GroupInfo for joiners. */
  readonly welcome: { readonly key: Bytes; readonly nonce: Bytes }
  /** Turns into an epoch's secrets. */
  readonly member: Bytes
}

/** From the joiner secret down to the welcome key, before the epoch's context is known. */
export const memberSecretOf = (by: CipherSuite, joiner: Bytes, psk: Bytes): MemberSecret => {
  const member = by.hash.extract(joiner, psk)
  const welcome = deriveSecret(by, member, 'welcome')
  const expand = (label: string, length: number): Bytes => expandWithLabel(by, welcome, { label, context: new Uint8Array(), length })
  return { member, welcome: { key: expand('key', by.aead.keyLength), nonce: expand('nonce', by.aead.nonceLength) } }
}

/** The secrets of an epoch from its epoch secret, with the encryption secret apart: it feeds the secret tree and is gone. */
export const secretsOfEpoch = (by: CipherSuite, epochSecret: Bytes): { secrets: EpochSecrets; encryption: Bytes } => {
  const derive = (label: string): Bytes => deriveSecret(by, epochSecret, label)
  const secrets = {
    senderData: derive('sender data'),
    exporter: derive('exporter'),
    external: derive('external'),
    confirmation: derive('confirm'),
    membership: derive('membership'),
    resumption: derive('resumption'),
    authenticator: derive('authentication'),
    init: derive('init'),
  }
  return { secrets, encryption: derive('encryption') }
}

/** The epoch secret of a member secret; wipes the latter. */
export const epochSecretOf = (by: CipherSuite, member: Bytes, context: GroupContext): Bytes => {
  const epoch = expandWithLabel(by, member, { label: 'epoch', context: encode(groupContextCodec, context), length: by.hash.length })
  wipe(member)
  return epoch
}

/** Looks up a pre-shared key. Resumption PSKs of other groups and epochs are the caller's to keep. */
export type FindPsk = (id: PskId) => Promise<Bytes | undefined>

const pskLabelCodec = struct<{ id: PskId; index: number; count: number }>({ id: pskIdCodec, index: uint16, count: uint16 })

/** psk_secret (RFC 9420 section 8.4). */
export const pskSecretOf = (by: CipherSuite, psks: readonly { id: PskId; psk: Bytes }[]): Bytes => {
  let secret = zeros(by)
  psks.forEach(({ id, psk }, index) => {
    const extracted = by.hash.extract(zeros(by), psk)
    const context = encode(pskLabelCodec, { id, index, count: psks.length })
    secret = by.hash.extract(expandWithLabel(by, extracted, { label: 'derived psk', context, length: by.hash.length }), secret)
  })
  return secret
}

/** Finds every PSK and combines them; throws `invalid` when one is missing. */
export const gatherPsks = async (by: CipherSuite, ids: readonly PskId[], find: FindPsk): Promise<Bytes> => {
  const found = await Promise.all(
    ids.map(async (id) => {
      const psk = await find(id)
      if (!psk) throw new MlsError('invalid', `${id.kind} PSK is not known here`)
      return { id, psk }
    }),
  )
  return pskSecretOf(by, found)
}

/** The key pair that lets newcomers join by external commit. */
export const externalPairOf = (by: CipherSuite, secrets: Pick<EpochSecrets, 'external'>): Promise<KeyPair> =>
  by.hpke.kem.derive(secrets.external)

const EXTERNAL_INIT = text('MLS 1.0 external init secret')

export const sendExternalInit = async (by: CipherSuite, externalPub: Bytes): Promise<{ kemOutput: Bytes; init: Bytes }> => {
  const { kemOutput, exported } = await sendExport(by.hpke, externalPub, { label: EXTERNAL_INIT, length: by.hash.length })
  return { kemOutput, init: exported }
}

export const receiveExternalInit = async (by: CipherSuite, secrets: EpochSecrets, kemOutput: Bytes): Promise<Bytes> =>
  receiveExport(by.hpke, { pair: await externalPairOf(by, secrets), kemOutput }, { label: EXTERNAL_INIT, length: by.hash.length })

/** MLS-Exporter (RFC 9420 section 8.5). `length` in bytes. */
export const exportFrom = (by: CipherSuite, exporter: Bytes, wanted: { label: string; context: Bytes; length: number }): Bytes => {
  const secret = deriveSecret(by, exporter, wanted.label)
  return expandWithLabel(by, secret, { label: 'exported', context: by.hash.digest(wanted.context), length: wanted.length })
}
