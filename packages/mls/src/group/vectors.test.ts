import { expect } from 'vitest'
import { fromHex, hex } from '../crypto/bytes.ts'
import { decryptWithLabel, encryptionInfo, expandWithLabel, suiteOf } from '../crypto/suite.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { vectorTest } from '../crypto/vectors.test-support.ts'
import { decode, encode } from '../public/codec.ts'
import { membershipTag, signContent, verifyContent } from '../public/content-auth.ts'
import { externalPubOf } from '../public/extensions.ts'
import { groupContextCodec, groupInfoCodec, groupSecretsCodec, verifyGroupInfoSignature } from '../public/group-info.ts'
import type { GroupContext } from '../public/group-info.ts'
import { keyPackageRef } from '../public/leaf-node.ts'
import { readMessage } from '../public/message.ts'
import type { AuthenticatedContent, Content } from '../public/message.ts'
import { setPathKeys } from '../public/parent-hash.ts'
import { commitCodec, proposalCodec, updatePathCodec } from '../public/proposal.ts'
import type { PskId } from '../public/proposal.ts'
import { encryptedSteps } from '../public/staged-commit.ts'
import { RatchetTree } from '../public/tree.ts'
import * as schedule from './key-schedule.ts'
import { openContent, sealContent } from './private-message.ts'
import { processCommit } from './process-commit.ts'
import { openPrivate, openPublic, receiveProposal } from './receive.ts'
import { nextKey, NO_RETENTION, secretTreeOf } from './secret-tree.ts'
import type { GroupState } from './state.ts'
import { makePath, nodePair, openPath } from './treekem.ts'
import type { NodeKeys } from './treekem.ts'
import { openWelcome } from './welcome.ts'
import { leafToNode } from '../public/tree-math.ts'

interface Schedule {
  cipher_suite: number
  group_id: string
  initial_init_secret: string
  epochs: (Record<string, string> & { exporter: { context: string; label: string; length: number; secret: string } })[]
}

vectorTest<Schedule>('mls/key-schedule.json', 'the key schedule agrees with the official vectors', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    let init = fromHex(vector.initial_init_secret)
    let epoch = 0n
    for (const expected of vector.epochs) {
      const of = (name: string): string => expected[name] ?? ''
      const context: GroupContext = {
        version: 'mls10',
        suite: by.id,
        groupId: fromHex(vector.group_id),
        epoch,
        treeHash: fromHex(of('tree_hash')),
        confirmedTranscriptHash: fromHex(of('confirmed_transcript_hash')),
        extensions: [],
      }
      expect(hex(encode(groupContextCodec, context))).toBe(of('group_context'))
      const joiner = schedule.joinerSecretOf(by, { init, commit: fromHex(of('commit_secret')) }, context)
      expect(hex(joiner)).toBe(of('joiner_secret'))
      const { member, welcome } = schedule.memberSecretOf(by, joiner, fromHex(of('psk_secret')))
      const welcomeKey = expandWithLabel(by, fromHex(of('welcome_secret')), {
        label: 'key',
        context: new Uint8Array(),
        length: by.aead.keyLength,
      })
      expect(hex(welcome.key)).toBe(hex(welcomeKey))
      const { secrets, encryption } = schedule.secretsOfEpoch(by, schedule.epochSecretOf(by, member, context))
      expect(hex(encryption)).toBe(of('encryption_secret'))
      const named = {
        init_secret: secrets.init,
        sender_data_secret: secrets.senderData,
        exporter_secret: secrets.exporter,
        epoch_authenticator: secrets.authenticator,
        external_secret: secrets.external,
        confirmation_key: secrets.confirmation,
        membership_key: secrets.membership,
        resumption_psk: secrets.resumption,
        external_pub: (await schedule.externalPairOf(by, secrets)).publicKey,
      }
      for (const [name, secret] of Object.entries(named)) expect(hex(secret), name).toBe(of(name))
      const { exporter } = expected
      expect(hex(schedule.exportFrom(by, secrets.exporter, { ...exporter, context: fromHex(exporter.context) }))).toBe(exporter.secret)
      init = secrets.init
      epoch++
    }
  }
})

interface Psks {
  cipher_suite: number
  psks: { psk_id: string; psk: string; psk_nonce: string }[]
  psk_secret: string
}

vectorTest<Psks>('mls/psk_secret.json', 'PSKs combine as the official vectors say', async (vectors) => {
  for (const vector of vectors) {
    const psks = vector.psks.map(({ psk_id, psk, psk_nonce }) => {
      const id: PskId = { kind: 'external', id: fromHex(psk_id), nonce: fromHex(psk_nonce) }
      return { id, psk: fromHex(psk) }
    })
    expect(hex(schedule.pskSecretOf(suiteOf(vector.cipher_suite), psks))).toBe(vector.psk_secret)
  }
})

interface SecretTreeVector {
  cipher_suite: number
  encryption_secret: string
  sender_data: { sender_data_secret: string; ciphertext: string; key: string; nonce: string }
  leaves: { generation: number; application_key: string; application_nonce: string; handshake_key: string; handshake_nonce: string }[][]
}

vectorTest<SecretTreeVector>('mls/secret-tree.json', 'the secret tree agrees with the official vectors', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    vector.leaves.forEach((generations, leaf) => {
      let tree = secretTreeOf(fromHex(vector.encryption_secret), vector.leaves.length)
      const last = Math.max(...generations.map(({ generation }) => generation))
      for (let generation = 0; generation <= last; generation++) {
        const application = nextKey(by, tree, { leaf, kind: 'application' })
        const handshake = nextKey(by, application.tree, { leaf, kind: 'handshake' })
        tree = handshake.tree
        const expected = generations.find((each) => each.generation === generation)
        if (!expected) continue
        expect([hex(application.message.key), hex(application.message.nonce)]).toEqual([
          expected.application_key,
          expected.application_nonce,
        ])
        expect([hex(handshake.message.key), hex(handshake.message.nonce)]).toEqual([expected.handshake_key, expected.handshake_nonce])
      }
    })
  }
})

interface Protection extends Record<string, string | number> {
  cipher_suite: number
  epoch: number
}

vectorTest<Protection>('mls/message-protection.json', 'messages are protected as the official vectors say', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    const of = (name: string) => fromHex(String(vector[name]))
    const groupId = of('group_id')
    const context: GroupContext = {
      version: 'mls10',
      suite: by.id,
      groupId,
      epoch: BigInt(vector.epoch),
      treeHash: of('tree_hash'),
      confirmedTranscriptHash: of('confirmed_transcript_hash'),
      extensions: [],
    }
    const verifier = { context, keyAt: () => of('signature_pub') }
    const use = { context, membershipKey: of('membership_key') }
    const secrets = () => ({ suite: by, senderData: of('sender_data_secret'), secretTree: secretTreeOf(of('encryption_secret'), 2) })
    const checkPrivate = async (encoded: Uint8Array, expected: Content): Promise<void> => {
      const { message } = readMessage(encoded, 'private')
      const opened = await openContent(secrets(), message, {
        isMember: (leaf) => leaf < 2,
        ownLeaf: 0,
        limits: { forward: 8, skipped: NO_RETENTION },
      })
      expect(opened.content.framed.content).toEqual(expected)
      await verifyContent(by, opened.content, verifier)
    }
    const contents: Content[] = [
      { kind: 'proposal', proposal: decode(proposalCodec, of('proposal')) },
      { kind: 'commit', commit: decode(commitCodec, of('commit')) },
    ]
    for (const content of contents) {
      await checkPrivate(of(`${content.kind}_priv`), content)
      const { message } = readMessage(of(`${content.kind}_pub`), 'public')
      expect(message.framed.content).toEqual(content)
      const authenticated: AuthenticatedContent = { wireFormat: 'public', ...message }
      await verifyContent(by, authenticated, verifier)
      expect(message.membershipTag).toEqual(await membershipTag(by, authenticated, use))
    }
    const application: Content = { kind: 'application', data: of('application') }
    await checkPrivate(of('application_priv'), application)
    for (const content of [...contents, application]) {
      const framed = {
        groupId,
        epoch: context.epoch,
        sender: { kind: 'member', leafIndex: 1 } as const,
        authenticatedData: Uint8Array.of(1),
        content,
      }
      const signature = await signContent(by, { wireFormat: 'private', framed }, { context, secretKey: of('signature_priv') })
      const confirmationTag = content.kind === 'commit' ? Uint8Array.of(7) : undefined
      const { message } = await sealContent(secrets(), { wireFormat: 'private', framed, auth: { signature, confirmationTag } })
      const opened = await openContent(secrets(), message, {
        isMember: () => true,
        ownLeaf: 0,
        limits: { forward: 8, skipped: NO_RETENTION },
      })
      expect(opened.content.framed).toEqual(framed)
    }
  }
})

interface TreeKem {
  cipher_suite: number
  confirmed_transcript_hash: string
  epoch: number
  group_id: string
  leaves_private: {
    encryption_priv: string
    index: number
    path_secrets: { node: number; path_secret: string }[]
    signature_priv: string
  }[]
  ratchet_tree: string
  update_paths: { commit_secret: string; path_secrets: (string | null)[]; sender: number; tree_hash_after: string; update_path: string }[]
}

vectorTest<TreeKem>('mls/treekem.json', 'update paths are opened and made as the official vectors say', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    // The suites with Curve25519 go through all trees. Of the slowest curves, those of two to four members are enough.
    if ([4, 5, 6, 7].includes(by.id) && vector.leaves_private.length > 4) continue
    const before = decode(RatchetTree.codec(by.hash), fromHex(vector.ratchet_tree))
    // Once for all paths: a member's keys in the tree before them are the same for each.
    const members = await Promise.all(vector.leaves_private.map(async (leaf) => ({ ...leaf, keys: await keysOf(by, before, leaf) })))
    const context = (treeHash: Uint8Array): GroupContext => ({
      version: 'mls10',
      suite: by.id,
      groupId: fromHex(vector.group_id),
      epoch: BigInt(vector.epoch),
      treeHash,
      confirmedTranscriptHash: fromHex(vector.confirmed_transcript_hash),
      extensions: [],
    })
    for (const [at, { update_path, sender, tree_hash_after, path_secrets, commit_secret }] of vector.update_paths.entries()) {
      const update = decode(updatePathCodec, fromHex(update_path))
      const tree = before.clone()
      tree.blankPath(sender)
      tree.setLeaf(sender, update.leaf)
      const steps = encryptedSteps(tree, sender, [])
      const path = steps.map((step, height) => ({ step, encryptionKey: update.nodes[height]?.encryptionKey ?? new Uint8Array() }))
      const parentHash = setPathKeys(tree, by.hash, path)
      expect(update.leaf.source).toEqual({ kind: 'commit', parentHash })
      expect(hex(tree.treeHash())).toBe(tree_hash_after)
      const provisional = context(tree.treeHash())
      for (const { index, keys } of members) {
        if (index === sender) continue
        const opened = await openPath(by, { tree, ownLeaf: index, keys, update, steps, provisional })
        expect(hex(opened.commitSecret)).toBe(commit_secret)
        expect(path_secrets[index]).not.toBeNull()
      }
      // In suites whose curve is in JavaScript one member of each tree makes a path; in the others everybody does.
      if (at === 0 || [1, 3].includes(by.id)) await checkOwnPath({ by, before, sender, context, members })
    }
  }
})

type PrivateLeaf = TreeKem['leaves_private'][number]

/** The private keys that a member has of a tree, each of them the one that the tree publishes. */
const keysOf = async (by: CipherSuite, tree: RatchetTree, leaf: PrivateLeaf): Promise<NodeKeys> => {
  const own = { publicKey: tree.leaf(leaf.index)?.encryptionKey ?? new Uint8Array(), secretKey: fromHex(leaf.encryption_priv) }
  const pairs = leaf.path_secrets.map(async ({ node, path_secret }) => [node, await nodePair(by, fromHex(path_secret))] as const)
  const keys = new Map([[leafToNode(leaf.index), own], ...(await Promise.all(pairs))])
  for (const [node, pair] of keys) expect(hex(pair.publicKey)).toBe(hex(tree.publicKeyOf(node) ?? new Uint8Array()))
  return keys
}

interface OwnPath {
  by: CipherSuite
  before: RatchetTree
  sender: number
  context: (treeHash: Uint8Array) => GroupContext
  members: readonly (PrivateLeaf & { readonly keys: NodeKeys })[]
}

/** A path of our own making is opened by everybody else. */
const checkOwnPath = async ({ by, before, sender, context, members }: OwnPath): Promise<void> => {
  const tree = before.clone()
  const { encryptionKey: _, source: __, signature: ___, ...leaf } = before.leaf(sender) ?? expect.unreachable()
  const signer = members.find(({ index }) => index === sender)
  const signatureKey = fromHex(signer?.signature_priv ?? '')
  const made = await makePath(by, {
    tree,
    committer: sender,
    changes: [],
    leaf,
    signatureKey,
    groupId: context(new Uint8Array()).groupId,
    provisional: context,
  })
  const path = { tree, update: made.update, steps: encryptedSteps(tree, sender, []), provisional: context(tree.treeHash()) }
  for (const { index, keys } of members) {
    if (index === sender) continue
    const opened = await openPath(by, { ...path, ownLeaf: index, keys })
    expect(opened.commitSecret).toEqual(made.commitSecret)
  }
}

interface WelcomeVector {
  cipher_suite: number
  init_priv: string
  key_package: string
  signer_pub: string
  welcome: string
}

vectorTest<WelcomeVector>('mls/welcome.json', 'a Welcome is opened as the official vectors say', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    const { keyPackage } = readMessage(fromHex(vector.key_package), 'key_package')
    const { welcome } = readMessage(fromHex(vector.welcome), 'welcome')
    const ref = hex(await keyPackageRef(by, keyPackage))
    const entry = welcome.secrets.find(({ newMember }) => hex(newMember) === ref) ?? expect.unreachable()
    const pair = { publicKey: keyPackage.initKey, secretKey: fromHex(vector.init_priv) }
    const info = await encryptionInfo(by, 'Welcome', welcome.encryptedGroupInfo)
    const secrets = decode(groupSecretsCodec, await decryptWithLabel(by, { pair, info }, entry.encryptedGroupSecrets))
    const scheduled = schedule.memberSecretOf(by, secrets.joinerSecret, schedule.pskSecretOf(by, []))
    const opened = await by.aead.open({ ...scheduled.welcome, aad: new Uint8Array() }, welcome.encryptedGroupInfo)
    const groupInfo = decode(groupInfoCodec, opened)
    expect(await verifyGroupInfoSignature(by, groupInfo, fromHex(vector.signer_pub))).toBe(true)
    const made = schedule.secretsOfEpoch(by, schedule.epochSecretOf(by, scheduled.member, groupInfo.context))
    expect(hex(by.hash.hmac(made.secrets.confirmation, groupInfo.context.confirmedTranscriptHash))).toBe(hex(groupInfo.confirmationTag))
    externalPubOf(groupInfo.extensions)
  }
})

interface Passive {
  cipher_suite: number
  external_psks: { psk_id: string; psk: string }[]
  key_package: string
  signature_priv: string
  encryption_priv: string
  init_priv: string
  welcome: string
  ratchet_tree: string | null
  initial_epoch_authenticator: string
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[]
}

const policy = { authenticate: async () => true, maxLifetime: 2n ** 64n }

const follow = async (vector: Passive): Promise<void> => {
  const { keyPackage } = readMessage(fromHex(vector.key_package), 'key_package')
  const resumptions = new Map<string, Uint8Array>()
  const findPsk = async (id: PskId): Promise<Uint8Array | undefined> => {
    if (id.kind === 'resumption') return resumptions.get(`${hex(id.groupId)}:${id.epoch}`)
    const found = vector.external_psks.find(({ psk_id }) => psk_id === hex(id.id))
    return found && fromHex(found.psk)
  }
  const signature = { publicKey: keyPackage.leaf.signatureKey, secretKey: fromHex(vector.signature_priv) }
  const joined = await openWelcome({
    welcome: readMessage(fromHex(vector.welcome), 'welcome').welcome,
    keyPackage,
    initPair: { publicKey: keyPackage.initKey, secretKey: fromHex(vector.init_priv) },
    leafPair: { publicKey: keyPackage.leaf.encryptionKey, secretKey: fromHex(vector.encryption_priv) },
    identity: { credential: new Uint8Array(), signature },
    policy,
    findPsk,
    ...(vector.ratchet_tree ? { tree: fromHex(vector.ratchet_tree) } : {}),
  })
  let { state } = joined
  expect(hex(state.secrets.authenticator)).toBe(vector.initial_epoch_authenticator)
  for (const { proposals, commit, epoch_authenticator } of vector.epochs) {
    resumptions.set(`${hex(state.context.groupId)}:${state.context.epoch}`, state.secrets.resumption)
    for (const proposal of proposals) state = await follow1(state, fromHex(proposal))
    const content = await contentOf(state, fromHex(commit))
    state = (await processCommit(content.state, content.content, { ...policy, findPsk, judge: async () => undefined })).state
    expect(hex(state.secrets.authenticator)).toBe(epoch_authenticator)
  }
}

const contentOf = async (state: GroupState, message: Uint8Array): Promise<{ state: GroupState; content: AuthenticatedContent }> => {
  if (message[3] === 1) return { state, content: await openPublic(state, readMessage(message, 'public').message) }
  return openPrivate(state, readMessage(message, 'private').message, { forward: 64, skipped: NO_RETENTION })
}

const follow1 = async (state: GroupState, message: Uint8Array): Promise<GroupState> => {
  const received = await contentOf(state, message)
  return (await receiveProposal(received.state, received.content, policy)).state
}

for (const [file, name] of [
  ['passive-client-welcome', 'a passive client joins every official group'],
  ['passive-client-handling-commit', 'a passive client follows the official commits'],
  ['passive-client-random', 'a passive client follows two hundred random official commits'],
] as const) {
  vectorTest<Passive>(
    `mls/${file}.json`,
    name,
    async (vectors) => {
      for (const vector of vectors) await follow(vector)
    },
    120_000,
  )
}
