/**
 * A second opinion on a group: a member that only listens, written from RFC 9420 without a line of the engine's code. It
 * joins by the Welcome of a real member, then processes every handshake and message that this member receives, verifying
 * signatures, tags, parent hashes and path keys by itself. Where its epoch differs from the engine's, one of them is wrong.
 *
 * It keeps secrets that a messenger must forget and trusts what honest members send: it is a witness for tests, not an engine.
 */
import {
  demandSame,
  derive,
  derivePair,
  digest,
  expandWithLabel,
  externalInit,
  extract,
  mac,
  openAead,
  openSealed,
  refHash,
  suiteOf,
  verify,
} from './primitives.ts'
import type { Pair, Suite } from './primitives.ts'
import { openPrivate, secretsOf } from './private-messages.ts'
import type { Epoch } from './private-messages.ts'
import { added, copyOf, leafOf, places, placePath, readTree, replace, room, treeHash, truncated, wayTo, covers } from './tree.ts'
import type { Node, Step } from './tree.ts'
import {
  Cursor,
  hexOf,
  join,
  opaque,
  readGroupInfo,
  readKeyPackage,
  readPrivateMessage,
  readPsk,
  readPublicMessage,
  readSealed,
  same,
  uint,
  writeContext,
} from './wire.ts'
import type { Commit, Context, Framed, GroupInfo, Leaf, Path, PrivateMessage, Proposal, Psk } from './wire.ts'

type Bytes = Uint8Array

/** Finds a pre-shared key (RFC 9420 section 8.4). */
export type PskFinder = (psk: Psk) => Bytes | undefined

export interface Arrival {
  readonly welcome: Bytes
  /** The encoded KeyPackage and its two private keys. */
  readonly keyPackage: Bytes
  readonly initKey: Bytes
  readonly encryptionKey: Bytes
  readonly findPsk: PskFinder
  /** The ratchet tree when the Welcome does not carry it. */
  readonly tree?: Bytes
}

interface Waiting {
  readonly proposal: Proposal
  readonly sender: number | undefined
}

/** What the witness made of an entry. */
export type Heard =
  | { readonly kind: 'message'; readonly payload: Bytes; readonly sender: number }
  | { readonly kind: 'proposal' }
  | { readonly kind: 'commit' }
  /** The commit removed the member it listens for, or ended the group. */
  | { readonly kind: 'over' }

const NONE = new Uint8Array()

/** psk_secret (section 8.4). */
const pskSecret = (suite: Suite, psks: readonly Psk[], find: PskFinder): Bytes => {
  const zero = new Uint8Array(suite.hashLength)
  let secret: Bytes = zero
  psks.forEach((psk, index) => {
    const value = find(psk)
    if (!value) throw new Error('second opinion: a PSK is missing')
    const context = join(psk.raw, uint(index, 2), uint(psks.length, 2))
    const input = expandWithLabel(suite, extract(suite.hash, zero, value), { label: 'derived psk', context, length: suite.hashLength })
    secret = extract(suite.hash, input, secret)
  })
  return secret
}

const interimOf = (suite: Suite, confirmed: Bytes, tag: Bytes): Bytes => digest(suite.hash, join(confirmed, opaque(tag)))

export class SecondOpinion {
  #epoch: Epoch
  #past: Epoch | undefined
  readonly #waiting = new Map<string, Waiting>()
  readonly #findPsk: PskFinder
  readonly #resumption = new Map<string, Bytes>()

  private constructor(epoch: Epoch, findPsk: PskFinder) {
    this.#epoch = epoch
    this.#findPsk = findPsk
    this.#remember()
  }

  get epoch(): bigint {
    return this.#epoch.context.epoch
  }

  get authenticator(): Bytes {
    return this.#epoch.secrets.authenticator
  }

  get treeHash(): Bytes {
    return this.#epoch.context.treeHash
  }

  get transcriptHash(): Bytes {
    return this.#epoch.context.transcriptHash
  }

  #remember(): void {
    const { context, secrets } = this.#epoch
    this.#resumption.set(`${hexOf(context.groupId)} ${context.epoch}`, secrets.resumption)
  }

  readonly #psk: PskFinder = (psk) =>
    (psk.kind === 'resumption' ? this.#resumption.get(`${hexOf(psk.id)} ${psk.epoch}`) : undefined) ?? this.#findPsk(psk)

  /** Joins by a Welcome (section 12.4.3.1). */
  static join(arrival: Arrival): SecondOpinion {
    const from = new Cursor(arrival.welcome)
    from.take(4)
    const suite = suiteOf(from.uint(2))
    const entries = from.list((each) => ({ ref: each.opaque(), sealed: readSealed(each) }))
    const encryptedInfo = from.opaque()
    const keyPackage = readKeyPackage(new Cursor(arrival.keyPackage))
    const ref = refHash(suite, 'KeyPackage Reference', keyPackage.raw)
    const entry = entries.find((each) => same(each.ref, ref))
    if (!entry) throw new Error('second opinion: the Welcome is for somebody else')
    const initPair = { secretKey: arrival.initKey, publicKey: keyPackage.initKey }
    const secrets = new Cursor(openSealed(suite, initPair, { label: 'Welcome', context: encryptedInfo, sealed: entry.sealed }))
    const joiner = secrets.opaque()
    const pathSecret = secrets.maybe((inner) => inner.opaque())
    const psks = secrets.list(readPsk)
    const member = extract(suite.hash, joiner, pskSecret(suite, psks, arrival.findPsk))
    const welcome = derive(suite, member, 'welcome')
    const of = (label: string, length: number): Bytes => expandWithLabel(suite, welcome, { label, length })
    const info = readGroupInfo(new Cursor(openAead(suite, { key: of('key', suite.keyLength), nonce: of('nonce', 12) }, encryptedInfo)))
    const tree = readTree(new Cursor(arrival.tree ?? info.extensions.get(2) ?? NONE))
    checkInfo(suite, info, tree)
    const ownLeaf = places(tree).findIndex(({ leaf }) => leaf && same(leaf.raw, keyPackage.leaf.raw))
    const own = { secretKey: arrival.encryptionKey, publicKey: keyPackage.leaf.encryptionKey }
    const keys = new Map([[hexOf(own.publicKey), own]])
    if (pathSecret)
      for (const pair of joinerPairs(suite, tree, { ownLeaf, signer: info.signer, pathSecret })) keys.set(hexOf(pair.publicKey), pair)
    const epochSecret = expandWithLabel(suite, member, { label: 'epoch', context: writeContext(info.context), length: suite.hashLength })
    const interim = interimOf(suite, info.context.transcriptHash, info.confirmationTag)
    const epoch = { suite, context: info.context, tree, interim, secrets: secretsOf(suite, epochSecret), ownLeaf, keys }
    demandSame(mac(suite.hash, epoch.secrets.confirmation, info.context.transcriptHash), info.confirmationTag, 'confirmation tag')
    return new SecondOpinion(epoch, arrival.findPsk)
  }

  /** Hears an entry of the log: a message, proposal or commit of somebody else. */
  hear(entry: Bytes): Heard {
    const from = new Cursor(entry)
    from.take(2)
    if (from.uint(2) === 2) return this.#hearPrivate(readPrivateMessage(from))
    const message = readPublicMessage(from)
    const epoch = this.#epoch
    this.#verify(epoch, message)
    if (message.sender !== undefined) {
      const tagged = join(toBeSigned(epoch, message), message.auth)
      demandSame(mac(epoch.suite.hash, epoch.secrets.membership, tagged), message.membershipTag, 'membership tag')
    }
    return this.#take(message)
  }

  #hearPrivate(message: PrivateMessage): Heard {
    const epoch = message.epoch === this.#past?.context.epoch ? this.#past : this.#epoch
    const framed = openPrivate(epoch, message)
    this.#verify(epoch, framed)
    return this.#take(framed)
  }

  #verify({ tree, ...epoch }: Epoch, framed: Framed): void {
    const { content } = framed
    const path = content.kind === 'commit' ? content.commit.path : undefined
    const key = framed.sender === undefined ? path?.leaf.signatureKey : leafOf(tree, framed.sender).signatureKey
    const signed = { content: toBeSigned(epoch, framed), signature: framed.signature }
    if (!key || !verify(key, 'FramedContentTBS', signed)) throw new Error('second opinion: signature')
  }

  #take(framed: Framed): Heard {
    const { content, sender } = framed
    if (content.kind === 'application') return { kind: 'message', payload: content.data, sender: sender ?? -1 }
    if (content.kind === 'commit') return this.#commit(framed, content.commit)
    const whole = join(uint(framed.wireFormat, 2), framed.raw, framed.auth)
    this.#waiting.set(hexOf(refHash(this.#epoch.suite, 'Proposal Reference', whole)), { proposal: content.proposal, sender })
    return { kind: 'proposal' }
  }

  #commit(framed: Framed, commit: Commit): Heard {
    const before = this.#epoch
    const { suite } = before
    const list = commit.proposals.map((each): Waiting => {
      const found = 'ref' in each ? this.#waiting.get(each.ref) : { proposal: each.proposal, sender: framed.sender }
      if (!found) throw new Error('second opinion: unknown proposal')
      return found
    })
    const over = list.some(
      ({ proposal }) => proposal.kind === 'reinit' || (proposal.kind === 'remove' && proposal.leafIndex === before.ownLeaf),
    )
    if (over) return { kind: 'over' }
    // Section 12.4; what a custom type wants is not known here.
    const pathless = list.length > 0 && list.every(({ proposal: { kind } }) => kind === 'add' || kind === 'psk' || kind === 'custom')
    if (!commit.path && !pathless) throw new Error('second opinion: the commit lacks a path')
    const changed = applied(before, list)
    const path = commit.path && receivePath(before, changed, { content: commit.path, sender: framed.sender })
    const tree = path?.tree ?? changed.tree
    const transcriptHash = digest(suite.hash, join(before.interim, uint(framed.wireFormat, 2), framed.raw, opaque(framed.signature)))
    const context = { ...(path?.provisional ?? { ...changed.context, treeHash: treeHash(suite, tree) }), transcriptHash }
    const init = changed.externalInit ? externalInit(suite, before.secrets.external, changed.externalInit) : before.secrets.init
    const joined = extract(suite.hash, init, path?.commitSecret ?? new Uint8Array(suite.hashLength))
    const of = (secret: Bytes, label: string): Bytes =>
      expandWithLabel(suite, secret, { label, context: writeContext(context), length: suite.hashLength })
    const member = extract(suite.hash, of(joined, 'joiner'), pskSecret(suite, changed.psks, this.#psk))
    const secrets = secretsOf(suite, of(member, 'epoch'))
    demandSame(mac(suite.hash, secrets.confirmation, transcriptHash), framed.confirmationTag, 'confirmation tag')
    const interim = interimOf(suite, transcriptHash, framed.confirmationTag)
    this.#past = before
    this.#epoch = { suite, context, tree, interim, secrets, ownLeaf: before.ownLeaf, keys: path?.keys ?? before.keys }
    this.#waiting.clear()
    this.#remember()
    return { kind: 'commit' }
  }
}

const checkInfo = (suite: Suite, info: GroupInfo, tree: Node): void => {
  const signed = { content: info.signedPart, signature: info.signature }
  if (!verify(leafOf(tree, info.signer).signatureKey, 'GroupInfoTBS', signed)) throw new Error('second opinion: GroupInfo signature')
  demandSame(treeHash(suite, tree), info.context.treeHash, 'tree hash')
  for (const { leaf, index } of places(tree)) if (leaf) checkLeaf(leaf, { groupId: info.context.groupId, index })
}

/** The leaf's own signature (section 7.2). */
const checkLeaf = (leaf: Leaf, place: { groupId: Bytes; index: number }): void => {
  const content = leaf.source === 'key_package' ? leaf.signedPart : join(leaf.signedPart, opaque(place.groupId), uint(place.index, 4))
  if (!verify(leaf.signatureKey, 'LeafNodeTBS', { content, signature: leaf.signature })) throw new Error('second opinion: leaf signature')
}

const toBeSigned = ({ context }: Pick<Epoch, 'context'>, { wireFormat, raw }: Pick<Framed, 'wireFormat' | 'raw'>): Bytes =>
  join(uint(1, 2), uint(wireFormat, 2), raw, writeContext(context))

/** Key pairs of the parents whose first path secret this is, from the lowest up; each must be the one in the tree. */
const pairsFrom = (suite: Suite, published: readonly Bytes[], pathSecret: Bytes): { pairs: Pair[]; commitSecret: Bytes } => {
  let secret = pathSecret
  const pairs = published.map((publicKey) => {
    const pair = derivePair(suite, derive(suite, secret, 'node'))
    demandSame(pair.publicKey, publicKey, 'a path key')
    secret = derive(suite, secret, 'path')
    return pair
  })
  return { pairs, commitSecret: secret }
}

/** A joiner knows the keys of the committer's path from where the two ways meet. */
const joinerPairs = (suite: Suite, tree: Node, at: { ownLeaf: number; signer: number; pathSecret: Bytes }): Pair[] => {
  const shared = wayTo(tree, at.ownLeaf).filter(({ branch }) => covers(branch, at.signer))
  const published = shared.flatMap(({ branch }) => (branch.parent ? [branch.parent.encryptionKey] : []))
  return pairsFrom(suite, published.toReversed(), at.pathSecret).pairs
}

interface Changed {
  readonly tree: Node
  readonly newcomers: ReadonlySet<number>
  readonly psks: readonly Psk[]
  readonly externalInit: Bytes | undefined
  /** Of the next epoch; tree hash and transcript hash are the old ones still. */
  readonly context: Context
}

/** Applies proposals in the order of section 12.3. */
const applied = (before: Epoch, list: readonly Waiting[]): Changed => {
  let tree = copyOf(before.tree)
  const { groupId, epoch } = before.context
  let { extensions } = before.context
  for (const { proposal, sender } of list) {
    if (proposal.kind === 'extensions') extensions = proposal.extensions
    if (proposal.kind !== 'update' || sender === undefined) continue
    checkLeaf(proposal.leaf, { groupId, index: sender })
    replace(tree, sender, proposal.leaf)
  }
  for (const { proposal } of list) if (proposal.kind === 'remove') replace(tree, proposal.leafIndex, undefined)
  tree = truncated(tree)
  const newcomers = new Set<number>()
  for (const { proposal } of list) {
    if (proposal.kind !== 'add') continue
    const grown = added(tree, proposal.keyPackage.leaf)
    tree = grown.tree
    newcomers.add(grown.index)
  }
  return {
    tree,
    newcomers,
    psks: list.flatMap(({ proposal }) => (proposal.kind === 'psk' ? [proposal.psk] : [])),
    externalInit: list.flatMap(({ proposal }) => (proposal.kind === 'external_init' ? [proposal.kemOutput] : []))[0],
    context: { ...before.context, extensions, epoch: epoch + 1n },
  }
}

/** Merges a path and opens the secret that is meant for the own leaf (sections 7.5 and 7.6). */
const receivePath = (before: Epoch, changed: Changed, path: { content: Path; sender: number | undefined }) => {
  const { suite, ownLeaf } = before
  const { content } = path
  const { tree, index } = path.sender === undefined ? room(changed.tree) : { tree: changed.tree, index: path.sender }
  checkLeaf(content.leaf, { groupId: before.context.groupId, index })
  const steps = placePath(suite, tree, { from: index, content, newcomers: changed.newcomers })
  const provisional = { ...changed.context, treeHash: treeHash(suite, tree) }
  const first = steps.findIndex(({ off }) => covers(off, ownLeaf))
  const pathSecret = openStep(before, steps[first], { context: writeContext(provisional), secrets: content.nodes[first]?.secrets ?? [] })
  const { pairs, commitSecret } = pairsFrom(
    suite,
    content.nodes.slice(first).map(({ encryptionKey }) => encryptionKey),
    pathSecret,
  )
  return {
    tree,
    provisional,
    commitSecret,
    keys: new Map([...before.keys, ...pairs.map((pair) => [hexOf(pair.publicKey), pair] as const)]),
  }
}

const openStep = (
  { suite, keys }: Epoch,
  step: Step | undefined,
  use: { context: Bytes; secrets: Path['nodes'][number]['secrets'] },
): Bytes => {
  const at = step?.recipients.findIndex(({ encryptionKey }) => keys.has(hexOf(encryptionKey))) ?? -1
  const recipient = step?.recipients[at]
  const pair = recipient && keys.get(hexOf(recipient.encryptionKey))
  const sealed = use.secrets[at]
  if (!pair || !sealed || use.secrets.length !== step?.recipients.length) throw new Error('second opinion: the path is not for this member')
  return openSealed(suite, pair, { label: 'UpdatePathNode', context: use.context, sealed })
}
