/** Application messages: PrivateMessages (RFC 9420 section 6.3), padded so that the length says little. */
import type { ClientState, PrivateMessage, SecretTree } from 'ts-mls'
import { encode } from 'ts-mls/codec/tlsEncoder.js'
import { verifyFramedContentSignature } from 'ts-mls/framedContent.js'
import { protectApplicationData } from 'ts-mls/messageProtection.js'
import {
  decodePrivateMessage,
  decodePrivateMessageContent,
  decryptSenderData,
  encodePrivateContentAAD,
  privateMessageContentEncoder,
  privateMessageEncoder,
  toAuthenticatedContent,
} from 'ts-mls/privateMessage.js'
import type { PrivateMessageContent } from 'ts-mls/privateMessage.js'
import { ratchetToGeneration } from 'ts-mls/secretTree.js'
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js'
import { MlsError } from '../errors.ts'
import type { Bytes, Group, Opened, Persist, Wipe } from '../port.ts'
import { activeStateOf, groupOf, MAX_FORWARD_STEPS, RETENTION } from './group.ts'
import { memberOf } from './leaf.ts'
import { ratchetDelta } from './persist.ts'
import { LIMITS } from './suite.ts'
import type { Suite } from './suite.ts'
import { leafAt } from './tree.ts'
import { decodeStrict, encodeMessage, sameBytes } from './wire.ts'

const SMALLEST_BUCKET = 256
const SIGNATURE_LENGTH = 64
/** `mls10` and `mls_private_message`, two bytes each. */
const MESSAGE_HEADER_LENGTH = 4

/**
 * Encrypts a payload. The plaintext with its signature fills a power of two of at least 256 bytes. While proposals wait this
 * is `usage`: they must be committed first (RFC 9420 section 12.4).
 */
export const sealMessage = async (
  suite: Suite,
  group: Group,
  content: { readonly payload: Bytes; readonly authenticatedData: Bytes },
): Promise<{ readonly group: Group; readonly sealed: Bytes; readonly persist: Persist; readonly wipe: Wipe }> => {
  const { payload, authenticatedData } = content
  const state = activeStateOf(suite, group)
  if (payload.length > LIMITS.payload || authenticatedData.length > LIMITS.authenticatedData) throw new MlsError('too_large', 'payload')
  if (Object.keys(state.unappliedProposals).length > 0) throw new MlsError('usage', 'proposals wait for a commit')
  const { leafIndex } = state.privatePath
  const { privateMessage, newSecretTree } = await protectApplicationData(
    state.signaturePrivateKey,
    state.keySchedule.senderDataSecret,
    new Uint8Array(payload),
    new Uint8Array(authenticatedData),
    state.groupContext,
    state.secretTree,
    leafIndex,
    { kind: 'padUntilLength', padUntilLength: bucketFor(payload.length) },
    suite.cs,
  )
  return {
    group: groupOf({ ...state, secretTree: newSecretTree }),
    sealed: encodeMessage({ wireformat: 'mls_private_message', privateMessage }),
    persist: ratchetDelta({ epoch: state.groupContext.epoch, leafIndex }, newSecretTree),
    // The library shares arrays between states and does not say which of them are spent.
    wipe: [],
  }
}

/** The bucket for a payload framed with two length prefixes and a signature. */
const bucketFor = (payloadLength: number): number => {
  const prefix = payloadLength < 64 ? 1 : payloadLength < 16_384 ? 2 : 4
  const length = prefix + payloadLength + 2 + SIGNATURE_LENGTH
  return Math.max(SMALLEST_BUCKET, 2 ** Math.ceil(Math.log2(length)))
}

/** What opening a message of one epoch takes: the current epoch, or the one before. */
interface EpochKeys {
  readonly senderDataSecret: Bytes
  readonly secretTree: SecretTree
  readonly ratchetTree: ClientState['ratchetTree']
  readonly groupContext: ClientState['groupContext']
  readonly advance: (secretTree: SecretTree) => ClientState
}

/** Opens a PrivateMessage of the current epoch or of the one before it. */
export const openMessage = async (suite: Suite, state: ClientState, bytes: Bytes): Promise<Opened> => {
  const message = decodePrivate(bytes)
  if (message.contentType !== 'application') throw new MlsError('unsupported', 'handshakes travel in the clear')
  const keys = keysOf(state, message.epoch)
  const senderData = await decryptSenderData(message, keys.senderDataSecret, suite.cs)
  if (senderData === undefined || senderData.reuseGuard.length !== 4) throw new MlsError('malformed', 'sender data')
  const leaf = leafAt(keys.ratchetTree, senderData.leafIndex)
  const ratchet = keys.secretTree[leafToNodeIndex(toLeafIndex(senderData.leafIndex))]?.application
  if (leaf === undefined || ratchet === undefined) throw new MlsError('invalid', 'sender is no member')
  if (senderData.generation < ratchet.generation) throw new MlsError('duplicate', 'generation was consumed')
  if (senderData.generation > ratchet.generation + MAX_FORWARD_STEPS) throw new MlsError('too_far', 'generation lies too far ahead')
  if (senderData.leafIndex === state.privatePath.leafIndex) throw new MlsError('invalid', 'an own message that this device did not seal')
  const { key, nonce, newTree } = await ratchetToGeneration(keys.secretTree, senderData, 'application', RETENTION, suite.cs)
  const { groupId, epoch, contentType, authenticatedData } = message
  const aad = encodePrivateContentAAD({ groupId, epoch, contentType, authenticatedData })
  const plain = await suite.cs.hpke.decryptAead(key, nonce, aad, message.ciphertext)
  const content = decodeContent(plain)
  const framed = toAuthenticatedContent(content, message, senderData.leafIndex)
  const { signature } = suite.cs
  const signed = await verifyFramedContentSignature(
    leaf.signaturePublicKey,
    'mls_private_message',
    framed.content,
    framed.auth,
    keys.groupContext,
    signature,
  )
  if (!signed || framed.content.contentType !== 'application') throw new MlsError('auth_failed', 'message signature')
  return {
    kind: 'message',
    group: groupOf(keys.advance(newTree)),
    sender: memberOf(senderData.leafIndex, leaf),
    payload: framed.content.applicationData,
    authenticatedData,
    persist: ratchetDelta({ epoch, leafIndex: senderData.leafIndex }, newTree),
    wipe: [],
  }
}

const decodePrivate = (bytes: Bytes): PrivateMessage =>
  decodeStrict(bytes.subarray(MESSAGE_HEADER_LENGTH), {
    decode: decodePrivateMessage,
    encode: encode(privateMessageEncoder),
    limit: LIMITS.privateMessage,
    what: 'private message',
  })

const keysOf = (state: ClientState, epoch: bigint): EpochKeys => {
  if (epoch === state.groupContext.epoch) {
    const { secretTree, ratchetTree, groupContext, keySchedule } = state
    return {
      senderDataSecret: keySchedule.senderDataSecret,
      secretTree,
      ratchetTree,
      groupContext,
      advance: (next) => ({ ...state, secretTree: next }),
    }
  }
  const past = state.historicalReceiverData.get(epoch)
  if (past === undefined) throw new MlsError('stale_epoch', 'that epoch is over')
  const advance = (secretTree: SecretTree): ClientState => ({
    ...state,
    historicalReceiverData: new Map(state.historicalReceiverData).set(epoch, { ...past, secretTree }),
  })
  return { ...past, advance }
}

/** Decodes the plaintext: content, signature, and zeros to its end (RFC 9420 section 6.3.1). */
const decodeContent = (plain: Bytes): PrivateMessageContent => {
  try {
    const decoded = decodePrivateMessageContent('application')(plain, 0)?.[0]
    const again = decoded === undefined ? undefined : encodeUnpadded(decoded)
    if (decoded !== undefined && again !== undefined && sameBytes(plain.subarray(0, again.length), again)) return decoded
  } catch (error) {
    throw new MlsError('malformed', 'message content does not decode', { cause: error })
  }
  throw new MlsError('malformed', 'message content or padding')
}

const encodeUnpadded = encode(privateMessageContentEncoder({ kind: 'alwaysPad', paddingLength: 0 }))
