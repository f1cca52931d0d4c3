/** PrivateMessage (RFC 9420 section 6.3): encrypting content and sender, and taking both out again. */
import type { Bytes } from '../port.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { NONE, wipe } from '../crypto/bytes.ts'
import { expandAllWithLabels } from '../crypto/suite.ts'
import { randomBytes } from '../crypto/webcrypto.ts'
import { MlsError } from '../errors.ts'
import { bytes, encode, fixed, decode, Reader, struct, uint32, uint64 } from '../public/codec.ts'
import { contentTypeCodec, groupIdCodec } from '../public/framing.ts'
import type { ContentType, PrivateMessage } from '../public/framing.ts'
import { privateContentCodec } from '../public/message.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import { keyAt, nextKey } from './secret-tree.ts'
import type { RatchetLimits, SecretTree, TakenKey } from './secret-tree.ts'

/** The secrets of one epoch that messages are encrypted with. */
export interface MessageSecrets {
  readonly suite: CipherSuite
  readonly senderData: Bytes
  readonly secretTree: SecretTree
}

export interface SenderData {
  readonly leafIndex: number
  readonly generation: number
  readonly reuseGuard: Bytes
}

type Envelope = Pick<PrivateMessage, 'groupId' | 'epoch' | 'contentType' | 'authenticatedData'>

export const senderDataCodec = struct<SenderData>({ leafIndex: uint32, generation: uint32, reuseGuard: fixed(4) })
const senderAad = { groupId: groupIdCodec, epoch: uint64, contentType: contentTypeCodec }
export const senderAadCodec = struct<Omit<Envelope, 'authenticatedData'>>(senderAad)
export const contentAadCodec = struct<Envelope>({ ...senderAad, authenticatedData: bytes })

const senderDataKey = ({ suite, senderData }: MessageSecrets, ciphertext: Bytes, header: Envelope) => {
  const context = ciphertext.slice(0, suite.hash.length)
  const [key = NONE, nonce = NONE] = expandAllWithLabels(suite, senderData, [
    { label: 'key', context, length: suite.aead.keyLength },
    { label: 'nonce', context, length: suite.aead.nonceLength },
  ])
  return { key, nonce, aad: encode(senderAadCodec, header) }
}

/** Guards against a nonce used twice after a state was lost (RFC 9420 section 6.3.1). */
const guarded = (nonce: Bytes, reuseGuard: Bytes): Bytes => nonce.map((byte, at) => byte ^ (reuseGuard[at] ?? 0))

const SMALLEST_BUCKET = 256

/** Bytes of padding that bring a plaintext to the next power of two, and to 256 at least. */
export const paddingFor = (length: number): number => {
  let bucket = SMALLEST_BUCKET
  while (bucket < length) bucket *= 2
  return bucket - length
}

const ratchetOf = (contentType: ContentType): 'application' | 'handshake' => (contentType === 'application' ? 'application' : 'handshake')

/** Encrypts signed content. The secrets that come back have the used key no more. */
export const sealContent = async (
  secrets: MessageSecrets,
  { framed, auth }: AuthenticatedContent,
  padding: (length: number) => number = paddingFor,
): Promise<{ message: PrivateMessage; secretTree: SecretTree }> => {
  const { suite } = secrets
  if (framed.sender.kind !== 'member') throw new MlsError('usage', 'only members encrypt')
  const { leafIndex } = framed.sender
  const contentType = framed.content.kind
  const header: Envelope = { groupId: framed.groupId, epoch: framed.epoch, contentType, authenticatedData: framed.authenticatedData }
  const bare = encode(privateContentCodec(contentType), { content: framed.content, auth })
  const plaintext = new Uint8Array(bare.length + padding(bare.length))
  plaintext.set(bare)
  const { message, tree } = nextKey(suite, secrets.secretTree, { leaf: leafIndex, kind: ratchetOf(contentType) })
  const reuseGuard = randomBytes(4)
  const aad = encode(contentAadCodec, header)
  const ciphertext = await suite.aead.seal({ key: message.key, nonce: guarded(message.nonce, reuseGuard), aad }, plaintext)
  wipe(message.key, message.nonce)
  const senderData = encode(senderDataCodec, { leafIndex, generation: message.generation, reuseGuard })
  const encryptedSenderData = await suite.aead.seal(senderDataKey(secrets, ciphertext, header), senderData)
  return { message: { ...header, encryptedSenderData, ciphertext }, secretTree: tree }
}

/** Decrypts with a key that was taken, and wipes it. One that was kept is still in the old state, which a failure must leave as it is. */
const openOnce = async (
  { aead }: CipherSuite,
  { message: { key, nonce }, fresh }: TakenKey,
  { message, reuseGuard }: { message: PrivateMessage; reuseGuard: Bytes },
): Promise<Bytes> => {
  try {
    const aad = encode(contentAadCodec, message)
    return await aead.open({ key, nonce: guarded(nonce, reuseGuard), aad }, message.ciphertext)
  } finally {
    if (fresh) wipe(key, nonce)
  }
}

/**
 * Decrypts a message of this epoch; its signature is still to be verified. `isMember` tells occupied leaves from blank ones,
 * which must be known before anything is derived (RFC 9420 section 6.3.2).
 */
export const openContent = async (
  secrets: MessageSecrets,
  message: PrivateMessage,
  check: { isMember: (leafIndex: number) => boolean; ownLeaf: number; limits: RatchetLimits },
): Promise<{ content: AuthenticatedContent; leafIndex: number; secretTree: SecretTree }> => {
  const { suite } = secrets
  const sealedSender = await suite.aead.open(senderDataKey(secrets, message.ciphertext, message), message.encryptedSenderData)
  const { leafIndex, generation, reuseGuard } = decode(senderDataCodec, sealedSender)
  if (!check.isMember(leafIndex)) throw new MlsError('invalid', `sender leaf ${leafIndex} is blank or out of range`)
  if (leafIndex === check.ownLeaf) throw new MlsError('invalid', 'sender is this very leaf')
  const kind = ratchetOf(message.contentType)
  const taken = keyAt(suite, secrets.secretTree, { leaf: leafIndex, kind, generation, limits: check.limits })
  const from = new Reader(await openOnce(suite, taken, { message, reuseGuard }))
  const { content, auth } = privateContentCodec(message.contentType).read(from)
  if (from.raw(from.remaining).some((byte) => byte !== 0)) throw new MlsError('malformed', 'padding is not zero')
  const { groupId, epoch, authenticatedData } = message
  const framed = { groupId, epoch, sender: { kind: 'member', leafIndex } as const, authenticatedData, content }
  return { content: { wireFormat: 'private', framed, auth }, leafIndex, secretTree: taken.tree }
}
