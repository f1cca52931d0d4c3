/** The engine behind the port: one ciphersuite, and every call guarded so that all failures are `MlsError`. */
import type { MlsEngine } from '../port.ts'
import { HYBRID_SUITE, loadSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { commitChanges, proposeRemoval, sealPayload } from './committing.ts'
import { foundGroup, inspectInfo, inspectPackage, joinByCommit, joinByWelcome, makeKeyPackage } from './entering.ts'
import { guarded } from './guarded.ts'
import { activeStateOf, groupOf, ownCopy, stateOf } from './handle.ts'
import { exportFrom } from './key-schedule.ts'
import { mergeCommit } from './merging.ts'
import { openEntry } from './opening.ts'
import { restoreState, snapshotOf } from './persist.ts'
import { retentionOf } from './secret-tree.ts'

/** What an engine is made with; every part has a default. */
export interface MlsEngineOptions {
  /** Ciphersuite number (RFC 9420 section 17.1); the hybrid X25519+ML-KEM-768 suite unless given. */
  readonly suite?: number
  /** Longest lifetime of a key package that is made or accepted, in seconds; 90 days unless given. */
  readonly maxLifetime?: bigint
  /** Keys of skipped messages kept per sender; 0 unless given, which suits logs that deliver in order. */
  readonly skippedKeys?: number
  /**
   * Seconds for which they are kept, by the `now` of `open`; a day unless given. They are erased with the next message of their
   * sender after that, or by `forgetSkipped` of `@tacit/mls/protocol`.
   */
  readonly skippedLifetime?: bigint
  /** Whether Welcomes and GroupInfos carry the ratchet tree (the default) or joiners get it elsewhere, as `ratchetTree` of the joining calls. */
  readonly treeInWelcome?: boolean
}

const NINETY_DAYS = 90n * 86_400n

/**
 * Makes an engine for groups of one ciphersuite (RFC 9420 section 5.1). Loads nothing and starts nothing; the platform is asked for
 * what it can do at the first use of each primitive.
 */
export const createMlsEngine = async (options: MlsEngineOptions = {}): Promise<MlsEngine> => {
  const by = await loadSuite(options.suite ?? HYBRID_SUITE)
  const { maxLifetime = NINETY_DAYS, treeInWelcome = true } = options
  return {
    suiteName: by.name,
    suite: by.id,
    generateSignaturePair: () => guarded(() => by.signature.generate()),
    createKeyPackage: (request) => guarded(() => makeKeyPackage(by, request, maxLifetime)),
    inspectKeyPackage: (keyPackage, now) => guarded(() => inspectPackage(by, keyPackage, { now, maxLifetime })),
    createGroup: (request) => guarded(() => foundGroup(by, request, treeInWelcome)),
    seal: (group, payload, authenticatedData = new Uint8Array()) => guarded(() => sealPayload(group, payload, authenticatedData)),
    open: (group, message, hooks) =>
      guarded(() => openEntry(group, message, { hooks, rules: { maxLifetime, skipped: retentionOf(options, hooks.now) } })),
    commit: (group, request) => guarded(() => commitChanges(group, request, { maxLifetime, treeInWelcome })),
    merge: mergeCommit,
    proposeRemove: (group, leafIndex, authenticatedData = new Uint8Array()) =>
      guarded(() => proposeRemoval(group, leafIndex, { authenticatedData, maxLifetime })),
    join: (request) => guarded(() => joinByWelcome(by, request, maxLifetime)),
    joinExternal: (request) => guarded(() => joinByCommit(by, request, { maxLifetime, treeInWelcome })),
    inspectGroupInfo: (groupInfo, ratchetTree) => guarded(() => inspectInfo(by, groupInfo, ratchetTree)),
    exportSecret: (group, label, context, length) =>
      guarded(async () => {
        const { suite, secrets } = activeStateOf(group)
        if (!Number.isInteger(length) || length < 1 || length > 255 * suite.hash.length)
          throw new MlsError('usage', `export of ${length} bytes`)
        return exportFrom(suite, secrets.exporter, { label, context, length })
      }),
    snapshot: (group) => snapshotOf(stateOf(group)),
    restore: (request) => guarded(async () => groupOf(restoreState({ ...request, identity: ownCopy(request.identity) }))),
  }
}
