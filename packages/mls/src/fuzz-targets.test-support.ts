/** What is fuzzed: good bytes of every kind, and every decoder of this package with some of them. */
import { utf8, World } from './conformance/world.ts'
import { equal } from './crypto/bytes.ts'
import { suiteOf } from './crypto/suite.ts'
import { stateOf } from './group/handle.ts'
import * as privateMessage from './group/private-message.ts'
import type { Bytes, MlsEngine } from './port.ts'
import { afresh } from './public/afresh.test-support.ts'
import { decode, encode } from './public/codec.ts'
import type { Codec } from './public/codec.ts'
import * as credential from './public/credential.ts'
import * as extension from './public/extensions.ts'
import * as framing from './public/framing.ts'
import * as groupInfo from './public/group-info.ts'
import * as leafNode from './public/leaf-node.ts'
import * as message from './public/message.ts'
import * as proposal from './public/proposal.ts'
import type { Proposal } from './public/proposal.ts'
import { splitWelcome } from './public/split-welcome.ts'
import * as tree from './public/tree.ts'

/** Modules whose exported codecs must all be in the table. */
const MODULES = [privateMessage, credential, extension, framing, groupInfo, leafNode, message, proposal, tree]

const isCodec = (value: unknown): value is Codec<unknown> =>
  typeof value === 'object' && value !== null && 'read' in value && 'write' in value

/** The codecs that this package exports, by name. */
export const exportedCodecs = (): Map<unknown, string> =>
  new Map(
    MODULES.flatMap((module) =>
      Object.entries<unknown>(module).flatMap(([name, value]) => (isCodec(value) ? [[value, name] as const] : [])),
    ),
  )

/** Good bytes of every kind, from a small group after a few steps. */
export const harvest = async (engine: MlsEngine) => {
  const world = new World(engine)
  const [alice, bob, carol] = await world.assemble('Alice', 'Bob', 'Carol')
  if (!bob || !carol) throw new Error('two were added')
  await bob.commit([alice, carol])
  const dave = await world.device('Dave')
  const keyPackage = await world.publish(dave)
  const sealed = await alice.say('a message')
  const { proposal } = await world.engine.proposeRemove(alice.group, carol.leaf)
  const made = await world.engine.commit(alice.group, {
    authenticate: world.authenticate,
    add: [keyPackage.keyPackage],
    note: utf8('note'),
  })
  const update = await world.engine.commit(alice.group, { authenticate: world.authenticate, policy: utf8('another') })
  const welcome = made.welcomes[0]?.bytes ?? new Uint8Array()
  const { bytes: snapshot, slots } = world.engine.snapshot(bob.group)
  return {
    world,
    alice,
    bob,
    dave,
    keyPackage,
    sealed,
    proposal,
    commit: made.commit,
    update: update.commit,
    welcome,
    groupInfo: made.groupInfo,
    snapshot,
    slots,
  }
}

export type Harvest = Awaited<ReturnType<typeof harvest>>

export interface Target {
  readonly name: string
  readonly codec?: unknown
  readonly seeds: readonly Bytes[]
  readonly check: (bytes: Bytes) => void
}

/** Accepts only what encodes to the very same bytes. */
const canonical = <T>(name: string, codec: Codec<T>, seeds: readonly Bytes[]): Target => ({
  name,
  codec,
  seeds,
  check: (bytes) => {
    const value = decode(codec, bytes)
    if (!equal(encode(codec, afresh(value)), bytes)) throw new Error(`${name}: accepted bytes that are not canonical`)
  },
})

/** As `canonical`, with values to make the good bytes of. */
const of = <T>(name: string, codec: Codec<T>, ...values: readonly T[]): Target =>
  canonical(
    name,
    codec,
    values.map((value) => encode(codec, value)),
  )

const HASH = new Uint8Array(32).fill(7)

/** Every decoder, with good bytes for it. */
export const decoders = (from: Harvest): Target[] => [...wholes(from), ...handshakes(from), ...parts(from)]

const wholes = (from: Harvest): Target[] => {
  const { keyPackage, commit, update, welcome, sealed, proposal: removal, alice } = from
  const by = suiteOf(from.world.engine.suite)
  const { tree: own, context } = stateOf(alice.group)
  const info = message.readMessage(from.groupInfo, 'group_info').groupInfo
  const nodes = [...own.leaves()].map(([, leaf]) => ({ kind: 'leaf', leaf }) as const)
  const parents = [...own.parents()].map(([, parent]) => ({ kind: 'parent', parent }) as const)
  return [
    canonical('message', message.mlsMessageCodec, [commit, update, from.groupInfo, welcome, sealed, removal]),
    canonical('key package', leafNode.keyPackageCodec, [keyPackage.keyPackage]),
    of('welcome', groupInfo.welcomeCodec, message.readMessage(welcome, 'welcome').welcome),
    of('group context', groupInfo.groupContextCodec, context),
    of('group info', groupInfo.groupInfoCodec, info),
    of('group secrets', groupInfo.groupSecretsCodec, { joinerSecret: HASH, pathSecret: HASH, psks: [PSKS[0]] }),
    of('ratchet tree', tree.RatchetTree.codec(by.hash), own),
    of('node', tree.nodeCodec, ...nodes, ...parents),
    of('leaf node', leafNode.leafNodeCodec, ...nodes.map(({ leaf }) => leaf)),
    { name: 'framing header', seeds: [commit, sealed, removal], check: (bytes) => void framing.readFramingHeader(bytes) },
    { name: 'parts of a welcome', seeds: [welcome], check: (bytes) => void splitWelcome(bytes) },
  ]
}

const PSKS = [
  { kind: 'external', id: utf8('psk'), nonce: HASH },
  { kind: 'resumption', usage: 'branch', groupId: utf8('group'), epoch: 7n, nonce: HASH },
] as const

const handshakes = ({ update, commit, sealed, proposal: removal, keyPackage, alice }: Harvest): Target[] => {
  const framed = message.readMessage(update, 'public').message
  const { content } = framed.framed
  if (content.kind !== 'commit' || !content.commit.path) throw new Error('a commit with a path was harvested')
  const { path } = content.commit
  const [sealedSecret] = path.nodes.flatMap(({ encryptedPathSecrets }) => encryptedPathSecrets)
  const { context } = stateOf(alice.group)
  const { extensions } = context
  const all: Proposal[] = [
    { kind: 'add', keyPackage: decode(leafNode.keyPackageCodec, keyPackage.keyPackage) },
    { kind: 'update', leaf: path.leaf },
    { kind: 'remove', removed: 2 },
    ...PSKS.map((psk) => ({ kind: 'psk', psk }) as const),
    { kind: 'reinit', groupId: utf8('next'), version: 'mls10', suite: 1, extensions },
    { kind: 'external_init', kemOutput: HASH },
    { kind: 'group_context_extensions', extensions },
    { kind: 'custom', type: 0xf00d, data: utf8('something') },
  ]
  const asked = message.readMessage(removal, 'public').message
  const data = { kind: 'application', data: utf8('words') } as const
  const signed = { signature: HASH, confirmationTag: undefined }
  return [
    of('public message', message.publicMessageCodec, framed, asked, message.readMessage(commit, 'public').message),
    of('private message', framing.privateMessageCodec, message.readMessage(sealed, 'private').message),
    of('framed content', message.framedContentCodec, framed.framed, asked.framed, { ...asked.framed, content: data }),
    of('authenticated content', message.authenticatedContentCodec, { wireFormat: 'public', framed: framed.framed, auth: framed.auth }),
    of('private commit', message.privateContentCodec('commit'), { content, auth: framed.auth }),
    of('private proposal', message.privateContentCodec('proposal'), { content: asked.framed.content, auth: asked.auth }),
    of('private words', message.privateContentCodec('application'), { content: data, auth: signed }),
    of('authentication of a commit', message.authCodec('commit'), framed.auth),
    of('authentication of words', message.authCodec('application'), signed),
    of('commit', proposal.commitCodec, content.commit),
    of('update path', proposal.updatePathCodec, path),
    of('proposal', proposal.proposalCodec, ...all),
    of('sealed path secret', proposal.hpkeCiphertextCodec, ...(sealedSecret ? [sealedSecret] : [])),
  ]
}

const parts = ({ groupInfo: encoded, alice }: Harvest): Target[] => {
  const { extensions } = message.readMessage(encoded, 'group_info').groupInfo
  const { context } = stateOf(alice.group)
  const identity = { kind: 'basic', identity: utf8('Alice') } as const
  const chain = { kind: 'x509', certificates: [utf8('leaf'), utf8('root')] } as const
  const header = { groupId: utf8('group'), epoch: 3n, contentType: 'commit', authenticatedData: utf8('data') } as const
  return [
    of('credential', credential.credentialCodec, identity, chain, { kind: 'custom', type: 0xf0a0, data: utf8('certificate') }),
    of('extensions', extension.extensionsCodec, extensions, context.extensions),
    of('required capabilities', extension.requiredCapabilitiesCodec, { extensionTypes: [1, 2], proposalTypes: [9], credentialTypes: [1] }),
    of('external senders', extension.externalSendersCodec, [{ signatureKey: HASH, credential: identity }]),
    of('PSK', proposal.pskIdCodec, ...PSKS),
    of(
      'sender',
      framing.senderCodec,
      { kind: 'member', leafIndex: 4 },
      { kind: 'external', senderIndex: 1 },
      { kind: 'new_member_commit' },
    ),
    of('sender data', privateMessage.senderDataCodec, { leafIndex: 1, generation: 2, reuseGuard: new Uint8Array(4) }),
    of('sender header', privateMessage.senderAadCodec, header),
    of('content header', privateMessage.contentAadCodec, header),
    of('content type', framing.contentTypeCodec, 'application', 'commit'),
    of('version', framing.versionCodec, 'mls10'),
    of('wire format', framing.wireFormatCodec, 'public', 'key_package'),
    of('group id', framing.groupIdCodec, utf8('group')),
    of('hash', groupInfo.hashCodec, HASH),
    of('key', leafNode.keyCodec, HASH),
  ]
}
