/** Processing a commit as a member (RFC 9420 section 12.4.2): what is public first, then the secrets, then the tag. */
import type { Bytes } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { MlsError } from '../errors.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import { stageCommit } from '../public/staged-commit.ts'
import type { CommitPolicy, StagedCommit } from '../public/staged-commit.ts'
import { leafToNode } from '../public/tree-math.ts'
import {
  epochSecretOf,
  gatherPsks,
  joinerSecretOf,
  memberSecretOf,
  noCommitSecret,
  receiveExternalInit,
  secretsOfEpoch,
} from './key-schedule.ts'
import type { FindPsk } from './key-schedule.ts'
import { freshSecretTree, pastOf, stripped } from './state.ts'
import type { GroupState } from './state.ts'
import { livingKeys, openPath } from './treekem.ts'
import type { NodeKeys } from './treekem.ts'

export interface CommitRules extends CommitPolicy {
  readonly findPsk: FindPsk
  /** Asked when the commit is known to be valid in public; throws to refuse it. */
  readonly judge: (staged: StagedCommit) => Promise<void>
}

export interface ProcessedCommit {
  readonly state: GroupState
  readonly staged: StagedCommit
}

/** Processes another member's (or a newcomer's) commit. `content` has its membership tag or decryption behind it. */
export const processCommit = async (state: GroupState, content: AuthenticatedContent, rules: CommitRules): Promise<ProcessedCommit> => {
  const staged = await stageCommit(state, content, rules)
  await rules.judge(staged)
  const removed = staged.changes.some((change) => change.kind === 'removed' && change.leafIndex === state.ownLeaf)
  if (removed) return { staged, state: stripped({ ...state, ...publicPart(staged) }) }
  const by = state.suite
  const keys = livingKeys(staged.tree, state.ownLeaf, withOwnUpdate(state, staged))
  const opened = staged.path
    ? await openPath(by, { ...staged, ownLeaf: state.ownLeaf, keys, update: staged.path.update, steps: staged.path.steps })
    : { keys, commitSecret: noCommitSecret(by) }
  const init = staged.externalInit ? await receiveExternalInit(by, state.secrets, staged.externalInit) : state.secrets.init
  const psk = await gatherPsks(by, staged.psks, rules.findPsk)
  const joiner = joinerSecretOf(by, { init, commit: opened.commitSecret }, staged.context)
  const { member } = memberSecretOf(by, joiner, psk)
  const next = enterEpoch(state, staged, { keys: opened.keys, epochSecret: epochSecretOf(by, member, staged.context) })
  if (!equal(by.hash.hmac(next.secrets.confirmation, staged.context.confirmedTranscriptHash), staged.confirmationTag)) {
    throw new MlsError('auth_failed', 'confirmation tag')
  }
  return { staged, state: next }
}

const publicPart = ({ tree, context, interimTranscriptHash, confirmationTag }: EpochStart) => ({
  tree,
  context,
  interimTranscriptHash,
  confirmationTag,
})

/** What a new epoch starts with, whoever made its commit. */
export type EpochStart = Pick<StagedCommit, 'tree' | 'context' | 'interimTranscriptHash' | 'confirmationTag' | 'reinit'>

/** The state of the next epoch; nothing of the old one is kept but what late messages need. */
export const enterEpoch = (state: GroupState, start: EpochStart, secret: { keys: NodeKeys; epochSecret: Bytes }): GroupState => {
  const { secrets, encryption } = secretsOfEpoch(state.suite, secret.epochSecret)
  return {
    ...state,
    ...publicPart(start),
    proposals: new Map(),
    ownUpdates: new Map(),
    keys: secret.keys,
    secrets,
    secretTree: freshSecretTree(encryption, start.tree),
    past: pastOf(state),
    reinit: start.reinit,
    ended: start.reinit ? 'reinitialised' : undefined,
  }
}

/** The own keys, with the leaf's replaced when the commit applies an own Update. */
const withOwnUpdate = (state: GroupState, staged: StagedCommit): NodeKeys => {
  const published = staged.tree.leaf(state.ownLeaf)?.encryptionKey
  const pair: KeyPair | undefined = published && state.ownUpdates.get(hex(published))
  return pair ? new Map([...state.keys, [leafToNode(state.ownLeaf), pair]]) : state.keys
}
