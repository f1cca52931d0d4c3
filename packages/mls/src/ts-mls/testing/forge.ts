/**
 * An insider's tools: a member that signs and seals whatever it likes. For tests alone; what it makes is authentic and wrong,
 * so that a refusal shows the rule and not a bad signature.
 */
import type { CiphersuiteImpl, ClientState, Commit, KeyPackage, LeafNodeKeyPackage, Proposal, Sender } from 'ts-mls'
import { signKeyPackage } from 'ts-mls/keyPackage.js'
import { signLeafNodeKeyPackage } from 'ts-mls/leafNode.js'
import { createContentCommitSignature } from 'ts-mls/framedContent.js'
import { protectProposalPublic, protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { encodePrivateContentAAD, encodePrivateMessageContent, encryptSenderData } from 'ts-mls/privateMessage.js'
import { decodeReuseGuard } from 'ts-mls/sender.js'
import { deriveKey, derivePrivateMessageNonce } from 'ts-mls/secretTree.js'
import { signFramedContentApplicationOrProposal } from 'ts-mls/framedContent.js'
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js'
import type { Bytes } from '../../port.ts'
import { encodeMessage } from '../wire.ts'

/** A commit with a true signature and membership tag, and a made-up confirmation tag, which is the last thing anyone checks. */
export const forgeCommit = async (
  cs: CiphersuiteImpl,
  state: ClientState,
  commit: Commit,
  from?: { readonly sender: Sender; readonly signKey: Bytes },
): Promise<Bytes> => {
  const sender: Sender = from?.sender ?? { senderType: 'member', leafIndex: state.privatePath.leafIndex }
  const signKey = from?.signKey ?? state.signaturePrivateKey
  const wireformat = 'mls_public_message'
  const { framedContent, signature } = await createContentCommitSignature(
    state.groupContext,
    wireformat,
    commit,
    sender,
    new Uint8Array(),
    signKey,
    cs.signature,
  )
  const auth = { contentType: 'commit' as const, signature, confirmationTag: new Uint8Array(cs.kdf.size) }
  const publicMessage = await protectPublicMessage(
    state.keySchedule.membershipKey,
    state.groupContext,
    { wireformat, content: framedContent, auth },
    cs,
  )
  return encodeMessage({ wireformat, publicMessage })
}

/** A proposal of any kind, properly signed. */
export const forgeProposal = async (cs: CiphersuiteImpl, state: ClientState, proposal: Proposal): Promise<Bytes> => {
  const { keySchedule, groupContext, signaturePrivateKey, privatePath } = state
  const { publicMessage } = await protectProposalPublic(
    signaturePrivateKey,
    keySchedule.membershipKey,
    groupContext,
    new Uint8Array(),
    proposal,
    privatePath.leafIndex,
    cs,
  )
  return encodeMessage({ wireformat: 'mls_public_message', publicMessage })
}

interface ForgedMessage {
  /** What the sender data claims. */
  readonly leafIndex?: number
  readonly generation?: number
  /** Changes the plaintext before it is encrypted. */
  readonly edit?: (plain: Bytes) => Bytes
}

/** An application message under the keys of the leaf it claims (every member has them), signed by the forger. */
export const forgeMessage = async (
  cs: CiphersuiteImpl,
  state: ClientState,
  { leafIndex = state.privatePath.leafIndex, generation = 0, edit = (plain) => plain }: ForgedMessage,
): Promise<Bytes> => {
  const { groupContext, keySchedule } = state
  const { groupId, epoch, version } = groupContext
  const authenticatedData = new Uint8Array()
  const sender: Sender = { senderType: 'member', leafIndex }
  const content = {
    contentType: 'application' as const,
    applicationData: new TextEncoder().encode('forged'),
    groupId,
    epoch,
    sender,
    authenticatedData,
  }
  const tbs = {
    protocolVersion: version,
    wireformat: 'mls_private_message' as const,
    content,
    senderType: 'member' as const,
    context: groupContext,
  }
  const signed = await signFramedContentApplicationOrProposal(state.signaturePrivateKey, tbs, cs)
  const plain = edit(encodePrivateMessageContent({ kind: 'padUntilLength', padUntilLength: 256 })({ ...content, auth: signed }))
  const known = state.secretTree[leafToNodeIndex(toLeafIndex(leafIndex))]?.application.secret
  const secret = known === undefined || known.length === 0 ? new Uint8Array(cs.kdf.size) : known
  const [reuseGuard] = decodeReuseGuard(new Uint8Array(4), 0) ?? []
  if (reuseGuard === undefined) throw new Error('four bytes are a reuse guard')
  const nonce = await derivePrivateMessageNonce(secret, 0, reuseGuard, cs)
  const aad = { groupId, epoch, contentType: 'application' as const, authenticatedData }
  const ciphertext = await cs.hpke.encryptAead(await deriveKey(secret, 0, cs), nonce, encodePrivateContentAAD(aad), plain)
  const encryptedSenderData = await encryptSenderData(
    keySchedule.senderDataSecret,
    { leafIndex, generation, reuseGuard },
    aad,
    ciphertext,
    cs,
  )
  return encodeMessage({ wireformat: 'mls_private_message', privateMessage: { ...aad, encryptedSenderData, ciphertext } })
}

/** A key package changed by an insider and signed again, leaf and all, with the key it belongs to. */
export const forgeKeyPackage = async (
  cs: CiphersuiteImpl,
  honest: KeyPackage,
  change: { readonly leaf?: Partial<LeafNodeKeyPackage>; readonly outer?: Partial<KeyPackage>; readonly signKey: Bytes },
): Promise<KeyPackage> => {
  const { leafNodeSource } = honest.leafNode
  if (leafNodeSource !== 'key_package') throw new Error('a key package has a leaf of its own kind')
  const leafNode = await signLeafNodeKeyPackage({ ...honest.leafNode, ...change.leaf, leafNodeSource }, change.signKey, cs.signature)
  return await signKeyPackage({ ...honest, ...change.outer, leafNode: { ...leafNode, leafNodeSource } }, change.signKey, cs.signature)
}
