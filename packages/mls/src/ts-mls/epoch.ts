/**
 * One step of the key schedule for a commit that this device makes (RFC 9420 sections 8 and 12.4.1). `ts-mls` has the same
 * inside `createCommit`, which cannot set the GroupInfo, forgets the path of a policy change, and encrypts the path under the
 * old extensions when there is one.
 */
import type { CiphersuiteImpl, ClientState, GroupContext, PrivateKeyPath, ProposalOrRef, RatchetTree, Sender, UpdatePath } from 'ts-mls'
import type { AuthenticatedContentCommit } from 'ts-mls/authenticatedContent.js'
import { nextEpochContext } from 'ts-mls/clientState.js'
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import type { EpochSecrets } from 'ts-mls/keySchedule.js'
import { getCommitSecret, pathToPathSecrets } from 'ts-mls/pathSecrets.js'
import { toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { leafToNodeIndex, leafWidth, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { createUpdatePath } from 'ts-mls/updatePath.js'
import type { PathSecret } from 'ts-mls/updatePath.js'
import type { Bytes } from '../port.ts'

/** A fresh path from one leaf to the root, with the secrets for those who need them. */
export interface FreshPath {
  readonly tree: RatchetTree
  readonly update: UpdatePath
  /** From the leaf's parent to the root. */
  readonly secrets: readonly PathSecret[]
  readonly privateKeys: PrivateKeyPath
  readonly commitSecret: Bytes
}

/** Renews the keys above `leafIndex`. `newcomers` are leaves that this commit adds: they get their secret by Welcome. */
export const renewPath = async (
  cs: CiphersuiteImpl,
  request: {
    readonly tree: RatchetTree
    readonly leafIndex: number
    readonly context: GroupContext
    readonly signKey: Bytes
    readonly newcomers?: readonly number[]
  },
): Promise<FreshPath> => {
  const { leafIndex, context, signKey, newcomers = [] } = request
  const exclude = newcomers.map((leaf) => leafToNodeIndex(toLeafIndex(leaf)))
  const [tree, update, secrets, leafKey] = await createUpdatePath(request.tree, toLeafIndex(leafIndex), context, signKey, cs, exclude)
  const nodes = await toPrivateKeyPath(pathToPathSecrets(secrets), leafIndex, cs)
  const top = secrets.at(-1)
  return {
    tree,
    update,
    secrets,
    privateKeys: updateLeafKey(nodes, await cs.hpke.exportPrivateKey(leafKey)),
    // Alone in the group there is no node above the leaf; nobody else needs the secret, so any fresh one will do.
    commitSecret:
      top === undefined ? cs.rng.randomBytes(cs.kdf.size) : await getCommitSecret(tree, toNodeIndex(top.nodeIndex), top.secret, cs.kdf),
  }
}

/** What a commit starts from and contains. */
export interface Step {
  /** The context of the ending epoch: what the commit is signed under. */
  readonly context: GroupContext
  /** The group context extensions of the new epoch. */
  readonly extensions: GroupContext['extensions']
  readonly confirmationTag: Bytes
  readonly initSecret: Bytes
  readonly commitSecret: Bytes
  readonly tree: RatchetTree
  readonly proposals: readonly ProposalOrRef[]
  readonly path: UpdatePath | undefined
  readonly sender: Sender
  readonly authenticatedData: Bytes
  readonly signKey: Bytes
}

/** The commit and the parts of the state that it replaces. */
export interface Stepped {
  readonly content: AuthenticatedContentCommit
  readonly secrets: EpochSecrets
  readonly next: Pick<ClientState, 'groupContext' | 'ratchetTree' | 'keySchedule' | 'secretTree' | 'confirmationTag'>
}

/** Signs a commit and derives the epoch that it begins. */
export const stepEpoch = async (cs: CiphersuiteImpl, step: Step): Promise<Stepped> => {
  const { context, tree } = step
  const wireformat = 'mls_public_message'
  const commit = { proposals: [...step.proposals], path: step.path }
  const aad = new Uint8Array(step.authenticatedData)
  const { signature, framedContent } = await createContentCommitSignature(
    context,
    wireformat,
    commit,
    step.sender,
    aad,
    step.signKey,
    cs.signature,
  )
  const updated = { ...context, extensions: step.extensions }
  const treeHash = await treeHashRoot(tree, cs.hash)
  const groupContext = await nextEpochContext(updated, wireformat, framedContent, signature, treeHash, step.confirmationTag, cs.hash)
  const secrets = await initializeEpoch(step.initSecret, step.commitSecret, groupContext, new Uint8Array(cs.kdf.size), cs.kdf)
  const confirmationTag = await createConfirmationTag(secrets.keySchedule.confirmationKey, groupContext.confirmedTranscriptHash, cs.hash)
  const secretTree = await createSecretTree(leafWidth(tree.length), secrets.encryptionSecret, cs.kdf)
  return {
    content: { wireformat, content: framedContent, auth: { contentType: 'commit', signature, confirmationTag } },
    secrets,
    next: { groupContext, ratchetTree: tree, keySchedule: secrets.keySchedule, secretTree, confirmationTag },
  }
}
