/** TreeKEM (RFC 9420 sections 7.4 to 7.6): making an update path, opening one, and keeping only the keys that live. */
import type { Bytes } from '../port.ts'
import { equal, wipe } from '../crypto/bytes.ts'
import { inBatches } from '../crypto/in-batches.ts'
import type { KeyPair } from '../crypto/kem.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { decryptWithLabel, deriveSecret, encryptionInfo, encryptWithLabel } from '../crypto/suite.ts'
import { randomBytes } from '../crypto/webcrypto.ts'
import { MlsError } from '../errors.ts'
import { encode } from '../public/codec.ts'
import { groupContextCodec } from '../public/group-info.ts'
import type { GroupContext } from '../public/group-info.ts'
import { signLeaf } from '../public/leaf-node.ts'
import type { UnsignedLeaf } from '../public/leaf-node.ts'
import { setPathKeys } from '../public/parent-hash.ts'
import type { UpdatePath, UpdatePathNode } from '../public/proposal.ts'
import type { LeafChange } from '../public/proposal-list.ts'
import { encryptedSteps } from '../public/staged-commit.ts'
import type { EncryptedStep } from '../public/staged-commit.ts'
import { isUnder, leafToNode } from '../public/tree-math.ts'
import type { RatchetTree } from '../public/tree.ts'

/** Private keys by node index: the own leaf's and those of the nodes above it that this member knows. */
export type NodeKeys = ReadonlyMap<number, KeyPair>

const UPDATE_PATH_NODE = 'UpdatePathNode'

export const nodePair = async (by: CipherSuite, pathSecret: Bytes): Promise<KeyPair> => {
  const nodeSecret = deriveSecret(by, pathSecret, 'node')
  const pair = await by.hpke.kem.derive(nodeSecret)
  wipe(nodeSecret)
  return pair
}

export const nextPathSecret = (by: CipherSuite, pathSecret: Bytes): Bytes => deriveSecret(by, pathSecret, 'path')

export interface PathRequest {
  /** A clone that this call edits: proposals applied, path not yet. */
  readonly tree: RatchetTree
  readonly committer: number
  readonly changes: readonly LeafChange[]
  /** The leaf as it shall be, but for its keys, source and signature. */
  readonly leaf: Omit<UnsignedLeaf, 'encryptionKey' | 'source'>
  readonly signatureKey: Bytes
  readonly groupId: Bytes
  /** The provisional context once the tree hash is known. */
  readonly provisional: (treeHash: Bytes) => GroupContext
}

export interface MadePath {
  readonly update: UpdatePath
  readonly keys: NodeKeys
  /** By node index, for joiners below that node. */
  readonly pathSecrets: ReadonlyMap<number, Bytes>
  readonly commitSecret: Bytes
}

/** Gives the committer fresh keys up to the root and encrypts their secrets to everybody else. */
export const makePath = async (by: CipherSuite, request: PathRequest): Promise<MadePath> => {
  const { tree, committer } = request
  const leafPair = await by.hpke.kem.generate()
  tree.blankPath(committer)
  const steps = encryptedSteps(tree, committer, request.changes)
  const secrets: Bytes[] = [randomBytes(by.hash.length)]
  for (const _ of steps) secrets.push(nextPathSecret(by, secrets.at(-1) ?? new Uint8Array()))
  const commitSecret = secrets.pop() ?? new Uint8Array()
  const pairs = await Promise.all(secrets.map((secret) => nodePair(by, secret)))
  const placed = zip(steps, pairs).map(([step, pair]) => ({ step, encryptionKey: pair.publicKey }))
  const parentHash = setPathKeys(tree, by.hash, placed)
  const unsigned = { ...request.leaf, encryptionKey: leafPair.publicKey, source: { kind: 'commit', parentHash } as const }
  const leaf = await signLeaf(by, unsigned, { groupId: request.groupId, leafIndex: committer, secretKey: request.signatureKey })
  tree.setLeaf(committer, leaf)
  const info = await encryptionInfo(by, UPDATE_PATH_NODE, encode(groupContextCodec, request.provisional(tree.treeHash())))
  const nodes = zip(zip(steps, pairs), secrets).map(async ([[step, pair], secret]): Promise<UpdatePathNode> => {
    const to = (node: number) => encryptWithLabel(by, { publicKey: publicKeyAt(tree, node), info }, secret)
    return { encryptionKey: pair.publicKey, encryptedPathSecrets: await inBatches(step.recipients, to) }
  })
  const keys = new Map(zip(steps, pairs).map(([step, pair]) => [step.node, pair]))
  keys.set(leafToNode(committer), leafPair)
  const pathSecrets = new Map(zip(steps, secrets).map(([step, secret]) => [step.node, secret]))
  return { update: { leaf, nodes: await Promise.all(nodes) }, keys, pathSecrets, commitSecret }
}

const zip = <A, B>(first: readonly A[], second: readonly B[]): (readonly [A, B])[] =>
  first.flatMap((a, at) => {
    const b = second[at]
    return b === undefined ? [] : [[a, b] as const]
  })

const publicKeyAt = (tree: RatchetTree, node: number): Bytes => {
  const key = tree.publicKeyOf(node)
  if (!key) throw new MlsError('invalid', `node ${node} is blank`)
  return key
}

export interface PathToOpen {
  /** The new tree, path merged. */
  readonly tree: RatchetTree
  readonly ownLeaf: number
  readonly keys: NodeKeys
  readonly update: UpdatePath
  readonly steps: readonly EncryptedStep[]
  readonly provisional: GroupContext
}

export interface OpenedPath {
  readonly keys: NodeKeys
  readonly commitSecret: Bytes
}

/** Decrypts the path secret meant for this member and derives the rest of the path (RFC 9420 section 7.5). */
export const openPath = async (by: CipherSuite, path: PathToOpen): Promise<OpenedPath> => {
  const at = path.steps.findIndex((step) => isUnder(leafToNode(path.ownLeaf), step.copath))
  const step = path.steps[at]
  const reached = step?.recipients.findIndex((node) => path.keys.has(node)) ?? -1
  const node = step?.recipients[reached]
  const pair = node === undefined ? undefined : path.keys.get(node)
  const sealed = path.update.nodes[at]?.encryptedPathSecrets[reached]
  if (!pair || !sealed) throw new MlsError('invalid', 'the path is not encrypted to this member')
  const info = await encryptionInfo(by, UPDATE_PATH_NODE, encode(groupContextCodec, path.provisional))
  const secret = await decryptWithLabel(by, { pair, info }, sealed)
  if (secret.length !== by.hash.length) throw new MlsError('invalid', 'path secret has the wrong length')
  const derived = await derivePath(by, path.tree, { nodes: path.steps.slice(at).map((each) => each.node), secret })
  return { keys: livingKeys(path.tree, path.ownLeaf, new Map([...path.keys, ...derived.keys])), commitSecret: derived.commitSecret }
}

/**
 * Key pairs of these nodes, the first of which has this path secret. Throws `invalid` when one is not the key in the tree:
 * a committer that published other keys than it shared would split the group at the next commit (RFC 9420 section 7.5).
 */
export const derivePath = async (
  by: CipherSuite,
  tree: RatchetTree,
  path: { nodes: readonly number[]; secret: Bytes },
): Promise<OpenedPath> => {
  const secrets = [path.secret]
  for (const _ of path.nodes) secrets.push(nextPathSecret(by, secrets.at(-1) ?? new Uint8Array()))
  const commitSecret = secrets.pop() ?? new Uint8Array()
  const pairs = await Promise.all(secrets.map((secret) => nodePair(by, secret)))
  wipe(...secrets)
  const keys = new Map(zip(path.nodes, pairs))
  for (const [node, pair] of keys) {
    const published = tree.publicKeyOf(node)
    if (!published || !equal(published, pair.publicKey)) throw new MlsError('invalid', `path secret does not yield the key of node ${node}`)
  }
  return { keys, commitSecret }
}

/** The keys that still belong to a node above (or at) the own leaf; the others are dropped. */
export const livingKeys = (tree: RatchetTree, ownLeaf: number, keys: NodeKeys): NodeKeys => {
  const living = new Map<number, KeyPair>()
  for (const [node, pair] of keys) {
    const published = tree.publicKeyOf(node)
    if (published && isUnder(leafToNode(ownLeaf), node) && equal(published, pair.publicKey)) living.set(node, pair)
  }
  return living
}
