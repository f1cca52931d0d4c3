/** Builds a commit and stores it beside the current group; what it makes true becomes true when the log says so. */
import type { PendingCommit } from '@tacit/mls'
import { LeafCheck } from '../devices/authenticate-leaf.ts'
import type { DeviceCore } from '../device-core.ts'
import { saveSealed, type Sealed } from '../outbox/outbox.store.ts'
import { sha256 } from '../sealing.ts'
import { encodeBaggage } from './baggage.ts'
import { packSnapshot } from './group.store.ts'
import type { Hold } from './held.ts'
import { encodeHandshakeData, encodeNote, seenBy } from './transcript.ts'
import type { WantedCommit } from './wanted-commit.ts'

/** Commits what is wanted and every proposal that waits in the group. */
export async function sealCommit(
  core: DeviceCore,
  hold: Hold,
  { wanted, intent }: { wanted: WantedCommit; intent: number | undefined },
): Promise<void> {
  const { conversation, state, group } = hold
  if (!state || !group) return
  const clientSeq = state.clientSeq + 1
  const seen = seenBy(state)
  const check = new LeafCheck(core, { path: 'invited', members: group.members })
  let pending: PendingCommit
  try {
    pending = await core.engine.commit(group, {
      add: wanted.add.map((invitation) => invitation.keyPackage),
      remove: wanted.remove,
      ...(wanted.policy && { policy: wanted.policy }),
      authenticatedData: encodeHandshakeData({ clientSeq, seen }),
      note: encodeNote(seen),
      now: BigInt(Math.floor(core.clock.now() / 1000)),
      authenticate: check.authenticate,
    })
  } catch (error) {
    check.mustHaveJudged()
    throw error
  }
  const sealed: Sealed = {
    conversation,
    kind: 'commit',
    clientSeq,
    epoch: state.epoch,
    hash: await sha256(pending.commit),
    bytes: pending.commit,
    message: undefined,
    intent,
    snapshot: packSnapshot(pending.persist),
    baggage: encodeBaggage({
      welcome: pending.welcomes[0]?.bytes,
      groupInfo: pending.groupInfo,
      added: wanted.add.map(({ device }) => device),
      removes: pending.changes.some(({ kind }) => kind === 'removed'),
      note: new Uint8Array(),
    }),
  }
  const rotation = { ...state.rotation, sealed: core.clock.now() }
  await hold.store({ state: { ...state, rotation }, write: (writer) => saveSealed(writer, sealed) })
}
