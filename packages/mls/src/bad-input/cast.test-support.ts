/** A small cast for bad input, and the forger's tools: handshakes that are signed and tagged rightly, whatever they say. */
import { pair } from '../conformance/tamper.ts'
import { NOW, World } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { createMlsEngine } from '../group/engine.ts'
import { stateOf } from '../group/handle.ts'
import type { GroupState } from '../group/state.ts'
import type { Bytes, LeafIdentity } from '../port.ts'
import { decode, encode } from '../public/codec.ts'
import { confirmedTranscriptHash, membershipTag, signContent } from '../public/content-auth.ts'
import type { Sender } from '../public/framing.ts'
import { keyPackageCodec, signKeyPackage, signLeaf } from '../public/leaf-node.ts'
import type { KeyPackage, UnsignedKeyPackage, UnsignedLeaf } from '../public/leaf-node.ts'
import { mlsMessageCodec, readMessage } from '../public/message.ts'
import type { AuthenticatedContent, Content } from '../public/message.ts'
import type { Commit, Proposal, ProposalOrRef } from '../public/proposal.ts'

const NONE: Bytes = new Uint8Array()

export const couple = (suite = 1) => pair(() => createMlsEngine({ suite }))

export const trio = async (suite = 1): Promise<{ world: World; alice: Seat; bob: Seat; carol: Seat }> => {
  const world = new World(await createMlsEngine({ suite }))
  const [alice, bob, carol] = await world.assemble('Alice', 'Bob', 'Carol')
  if (!bob || !carol) throw new Error('two were added')
  return { world, alice, bob, carol }
}

export const inline = (proposal: Proposal): ProposalOrRef => ({ kind: 'proposal', proposal })
export const remove = (removed: number): ProposalOrRef => inline({ kind: 'remove', removed })

/** The commit inside a message. */
export const commitOf = (message: Bytes): Commit => {
  const { content } = readMessage(message, 'public').message.framed
  if (content.kind !== 'commit') throw new Error('not a commit')
  return content.commit
}

interface Forgery {
  readonly content: Content
  /** The forger itself unless it pretends to be somebody else. */
  readonly sender?: Sender
  /** Signs in place of the forger's own key. */
  readonly secretKey?: Bytes
  readonly confirmationTag?: Bytes
}

/** A PublicMessage of the forger's epoch: signature and membership tag are right, and the confirmation tag has the right form. */
export const forge = async (forger: GroupState, { content, sender, secretKey, confirmationTag }: Forgery): Promise<Bytes> => {
  const { suite, context, identity, secrets } = forger
  const from: Sender = sender ?? { kind: 'member', leafIndex: forger.ownLeaf }
  const framed = { groupId: context.groupId, epoch: context.epoch, sender: from, authenticatedData: NONE, content }
  const unsigned = { wireFormat: 'public', framed } as const
  const signature = await signContent(suite, unsigned, { context, secretKey: secretKey ?? identity.signature.secretKey })
  const confirmed = await confirmedTranscriptHash(suite, forger.interimTranscriptHash, { ...unsigned, auth: { signature } })
  const tag = content.kind === 'commit' ? (confirmationTag ?? suite.hash.hmac(secrets.confirmation, confirmed)) : undefined
  return tagged(forger, { ...unsigned, auth: { signature, confirmationTag: tag } })
}

/** Puts a fresh membership tag around content that is signed already. */
export const tagged = async ({ suite, context, secrets }: GroupState, content: AuthenticatedContent): Promise<Bytes> => {
  const { framed, auth } = content
  const isMember = framed.sender.kind === 'member'
  const tag = isMember ? await membershipTag(suite, content, { context, membershipKey: secrets.membership }) : undefined
  return encode(mlsMessageCodec, { kind: 'public', message: { framed, auth, membershipTag: tag } })
}

/** A commit of `seat` that says just this. */
export const forgeCommit = (seat: Seat, commit: Commit): Promise<Bytes> =>
  forge(stateOf(seat.group), { content: { kind: 'commit', commit } })

/** A key package of this identity, signed rightly whatever is changed in it. */
export const forgePackage = async (
  world: World,
  identity: LeafIdentity,
  change: { leaf?: Partial<UnsignedLeaf>; keyPackage?: Partial<UnsignedKeyPackage> },
): Promise<{ encoded: Bytes; honest: KeyPackage }> => {
  const { suite } = stateOf((await world.found('a notary')).group)
  const { keyPackage } = await world.publish(identity, { notBefore: NOW - 1n, notAfter: NOW + 1000n })
  const honest = decode(keyPackageCodec, keyPackage)
  const { secretKey } = identity.signature
  const leaf = await signLeaf(suite, { ...honest.leaf, ...change.leaf }, { groupId: NONE, leafIndex: 0, secretKey })
  return { encoded: encode(keyPackageCodec, await signKeyPackage(suite, { ...honest, leaf, ...change.keyPackage }, secretKey)), honest }
}
