/** PrivateMessages that no honest engine makes: authentic in their encryption, false in what they claim. */
import type { Bytes } from '../port.ts'
import { expandWithLabel } from '../crypto/suite.ts'
import { encode } from '../public/codec.ts'
import { signContent } from '../public/content-auth.ts'
import { mlsMessageCodec, privateContentCodec } from '../public/message.ts'
import { contentAadCodec, senderAadCodec, senderDataCodec } from './private-message.ts'
import { nextKey } from './secret-tree.ts'
import type { GroupState } from './state.ts'

interface Claim {
  readonly leafIndex: number
  readonly generation: number
  readonly padding?: Bytes
}

/** A message of `state`'s member under its next key, whose sender data claims something else. */
export const encodeMutated = async (state: GroupState, claim: Claim): Promise<{ message: Bytes }> => {
  const { suite, context, identity, secrets } = state
  const content = { kind: 'application', data: new Uint8Array(3) } as const
  const authenticatedData = new Uint8Array()
  const header = { groupId: context.groupId, epoch: context.epoch, contentType: 'application', authenticatedData } as const
  const framed = { ...header, sender: { kind: 'member', leafIndex: state.ownLeaf } as const, content }
  const signature = await signContent(suite, { wireFormat: 'private', framed }, { context, secretKey: identity.signature.secretKey })
  const bare = encode(privateContentCodec('application'), { content, auth: { signature, confirmationTag: undefined } })
  const padding = claim.padding ?? new Uint8Array()
  const plaintext = new Uint8Array([...bare, ...padding])
  const { message } = nextKey(suite, state.secretTree, { leaf: state.ownLeaf, kind: 'application' })
  const ciphertext = await suite.aead.seal({ key: message.key, nonce: message.nonce, aad: encode(contentAadCodec, header) }, plaintext)
  const expand = (label: string, length: number): Bytes =>
    expandWithLabel(suite, secrets.senderData, { label, context: ciphertext.slice(0, suite.hash.length), length })
  const sealed = encode(senderDataCodec, { ...claim, reuseGuard: new Uint8Array(4) })
  const key = { key: expand('key', suite.aead.keyLength), nonce: expand('nonce', suite.aead.nonceLength) }
  const encryptedSenderData = await suite.aead.seal({ ...key, aad: encode(senderAadCodec, header) }, sealed)
  return { message: encode(mlsMessageCodec, { kind: 'private', message: { ...header, encryptedSenderData, ciphertext } }) }
}
