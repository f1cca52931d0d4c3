/**
 * The engine over `ts-mls` 1.6.4 behind the port: its codec, tree and key schedule, with our own checks at every door and our
 * own composition of commits and joins. No type of the library leaves this folder.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { mlsExporter } from 'ts-mls'
import { MlsError } from '../errors.ts'
import type { Bytes, Group, MlsEngine, Opened, SignaturePair } from '../port.ts'
import { readFramingHeader } from '../public/framing.ts'
import { makeCommit, makeRemoveProposal } from './commit.ts'
import { activeStateOf, foundGroup, groupOf, publishGroupInfo, stateOf } from './group.ts'
import { openHandshake } from './handshake.ts'
import type { Hooks } from './handshake.ts'
import { joinByCommit, joinByWelcome, readGroupInfo, rosterOf } from './join.ts'
import { createKeyPackage, inspectKeyPackage } from './key-package.ts'
import { memberOf } from './leaf.ts'
import { openMessage, sealMessage } from './message.ts'
import { restoreState, snapshotOf } from './persist.ts'
import { LIMITS, loadSuite } from './suite.ts'
import type { Suite, TsMlsOptions } from './suite.ts'
import { encodeTree, guarded, sameBytes } from './wire.ts'

/** Makes the engine. `suite` is `hybrid` (X25519 with ML-KEM-768) unless given. All failures of the engine are `MlsError`. */
export const createTsMlsEngine = async (options: TsMlsOptions = {}): Promise<MlsEngine> => {
  const suite = await loadSuite(options)
  return {
    suiteName: suite.label,
    suite: suite.id,
    generateSignaturePair: () => guarded(() => Promise.resolve(generatePair(suite))),
    createKeyPackage: (request) => guarded(() => createKeyPackage(suite, request)),
    inspectKeyPackage: (keyPackage, now) => guarded(() => inspectKeyPackage(suite, keyPackage, now)),
    createGroup: (request) =>
      guarded(async () => {
        const state = await foundGroup(suite, request)
        const ratchetTree = encodeTree(state.ratchetTree)
        return { group: groupOf(state), groupInfo: await publishGroupInfo(suite, state), ratchetTree, persist: snapshotOf(suite, state) }
      }),
    seal: (group, payload, authenticatedData = new Uint8Array()) =>
      guarded(() => sealMessage(suite, group, { payload, authenticatedData })),
    open: (group, message, hooks) => guarded(() => open(suite, group, { message, hooks })),
    commit: (group, request) => guarded(() => makeCommit(suite, group, request)),
    merge: (_, next) => ({ group: next, persist: snapshotOf(suite, stateOf(suite, next)), wipe: [] }),
    proposeRemove: (group, leafIndex, authenticatedData) =>
      guarded(() => makeRemoveProposal(suite, group, { leafIndex, authenticatedData })),
    join: (request) => guarded(() => joinByWelcome(suite, request)),
    joinExternal: (request) => guarded(() => joinByCommit(suite, request)),
    inspectGroupInfo: (bytes, ratchetTree) =>
      guarded(async () => {
        const info = await readGroupInfo(suite, bytes, ratchetTree)
        const { groupId, epoch } = info.groupInfo.groupContext
        return {
          groupId,
          epoch,
          signer: memberOf(info.groupInfo.signer, info.signer),
          members: rosterOf(info),
          policy: info.policy,
          note: info.note,
        }
      }),
    exportSecret: (group, label, context, length) => guarded(() => exportSecret(suite, group, { label, context, length })),
    snapshot: (group) => snapshotOf(suite, stateOf(suite, group)),
    restore: (request) => guarded(() => Promise.resolve(groupOf(restoreState(suite, request)))),
  }
}

const generatePair = ({ cs }: Suite): SignaturePair => {
  const secretKey = cs.rng.randomBytes(32)
  return { publicKey: ed25519.getPublicKey(secretKey), secretKey }
}

/** Group and epoch are judged from the clear header, before anything is decrypted or fully decoded. */
const open = async (
  suite: Suite,
  group: Group,
  { message, hooks }: { readonly message: Bytes; readonly hooks: Hooks },
): Promise<Opened> => {
  const state = activeStateOf(suite, group)
  if (message.length > LIMITS.handshake) throw new MlsError('too_large', 'message')
  const bytes = new Uint8Array(message)
  const header = readFramingHeader(bytes)
  if (!sameBytes(header.groupId, group.groupId)) throw new MlsError('unknown_group', 'message for another group')
  if (header.epoch > group.epoch) throw new MlsError('future_epoch', 'that epoch has not begun')
  if (header.wireFormat === 'private') return await openMessage(suite, state, bytes)
  if (header.epoch < group.epoch) throw new MlsError('stale_epoch', 'that epoch is over')
  return await openHandshake(suite, group, { state, bytes, hooks })
}

const exportSecret = async (
  suite: Suite,
  group: Group,
  request: { readonly label: string; readonly context: Bytes; readonly length: number },
): Promise<Bytes> => {
  const { keySchedule } = activeStateOf(suite, group)
  const { label, context, length } = request
  if (!Number.isInteger(length) || length < 1 || length > 255 * suite.cs.kdf.size) throw new MlsError('usage', 'length to export')
  return await mlsExporter(keySchedule.exporterSecret, label, context, length, suite.cs)
}
