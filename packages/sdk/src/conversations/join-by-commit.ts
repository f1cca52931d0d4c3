/**
 * Joining by external commit (RFC 9420 section 12.4.3.2): a new device of a member account, or this device again after it
 * could not follow. Like everything sealed, the commit is stored before it is sent and sent again unchanged; the group
 * becomes ours when the server has accepted it.
 */
import { equalBytes, Refusal, rosterOf, routes } from '@tacit/contract'
import type { ExternalJoin, Group, Member } from '@tacit/mls'
import { LeafCheck } from '../devices/authenticate-leaf.ts'
import type { DeviceCore } from '../device-core.ts'
import type { NewItem } from '../messages/items.store.ts'
import { saveSealed, settleSealed, type Sealed } from '../outbox/outbox.store.ts'
import { keepOffered, rollbackSince } from '../rollback/rollback.store.ts'
import { idBytes, sha256 } from '../sealing.ts'
import { Unreachable } from '../trouble.ts'
import { encodeBaggage, readBaggage } from './baggage.ts'
import { beginConversation, transcriptUpTo } from './begin.ts'
import { fetchTree } from './fetch-tree.ts'
import { packSnapshot, unpackSnapshot } from './group.store.ts'
import type { Hold } from './held.ts'
import { mayTake } from './judge-return.ts'
import { loadRoster } from './roster.store.ts'
import { encodeHandshakeData, readNote, seenBy } from './transcript.ts'

/** What the server tells about a conversation before this device is in it. */
interface Door {
  readonly groupInfo: Uint8Array
  readonly ratchetTree: Uint8Array
  readonly epoch: number
  readonly clientSeq: number
}

/** How often the door is tried while others commit. */
const TRIES = 5

/** Undefined while no device of this account is a member: somebody else has to bring us in. */
export async function fetchDoor(core: DeviceCore, conversation: Sealed['conversation']): Promise<Door | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return await lookAtDoor(core, conversation)
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'not_found') return undefined
      // A commit between the two questions: GroupInfo and tree must be of one epoch.
      if (!(error instanceof Refusal && error.failure === 'stale_epoch')) throw error
    }
  }
  throw new Unreachable('the conversation does not stand still')
}

async function lookAtDoor(core: DeviceCore, conversation: Sealed['conversation']): Promise<Door | undefined> {
  const { clientSeq, members } = await core.session.call(routes.conversations.show, { params: { conversation } })
  if (!members.some((member) => member.account === core.account)) return undefined
  const { groupInfo, epoch } = await core.session.call(routes.conversations.groupInfo, { params: { conversation } })
  return { groupInfo, ratchetTree: await fetchTree(core, { conversation, epoch }), epoch, clientSeq }
}

/** Builds and stores the external commit; false when that is no door to go in by. Rejects with `MlsError` when the GroupInfo is not sound. */
export async function sealJoin(core: DeviceCore, hold: Hold, door: Door): Promise<boolean> {
  const { conversation, state } = hold
  if (!state) return false
  const inside = await lookInside(core, hold, door)
  if (!inside) return false
  // Our own count where it is higher: a server that names a lower one would have us repeat ourselves.
  const clientSeq = Math.max(door.clientSeq, state.clientSeq) + 1
  const replaced = await ownOldLeaf(core, inside)
  const check = new LeafCheck(core, { path: 'tree' })
  let join: ExternalJoin
  try {
    join = await core.engine.joinExternal({
      groupInfo: door.groupInfo,
      ratchetTree: door.ratchetTree,
      identity: core.identity,
      ...(replaced && { replaces: replaced.leafIndex }),
      authenticatedData: encodeHandshakeData({ clientSeq, seen: seenBy(state) }),
      authenticate: check.authenticate,
    })
  } catch (error) {
    check.mustHaveJudged()
    throw error
  }
  const { groupInfo, note } = join
  const sealed: Sealed = {
    conversation,
    kind: 'join',
    clientSeq,
    epoch: door.epoch,
    hash: await sha256(join.commit),
    bytes: join.commit,
    message: undefined,
    intent: undefined,
    snapshot: packSnapshot(join.persist),
    baggage: encodeBaggage({ welcome: undefined, groupInfo, added: [], removes: replaced !== undefined, note }),
  }
  await hold.store({ state, write: (writer) => saveSealed(writer, sealed) })
  return true
}

/**
 * The members behind the door; undefined when it leads into another conversation, back in time, or into a group that the
 * rules for coming back forbid.
 */
async function lookInside(core: DeviceCore, { conversation, state }: Hold, door: Door): Promise<readonly Member[] | undefined> {
  const { groupInfo, ratchetTree } = door
  const { groupId, epoch, members, policy, signer } = await core.engine.inspectGroupInfo(groupInfo, ratchetTree)
  if (!equalBytes(groupId, idBytes(conversation)) || Number(epoch) !== door.epoch) return undefined
  if (state && epoch < state.epoch && !(await mayGoBack(core, { conversation, members }))) return undefined
  return (await mayTake(core, { conversation, state, group: { members, policy }, signer })) ? members : undefined
}

/**
 * After a rollback the epoch that this device had may be gone for good. An earlier one will do, unless it would bring back
 * somebody who is no member any more.
 */
async function mayGoBack(
  core: DeviceCore,
  { conversation, members }: { conversation: Hold['conversation']; members: readonly Member[] },
): Promise<boolean> {
  if ((await rollbackSince(core.store, conversation)) === undefined) return false
  const present = new Set((await loadRoster(core.store, conversation)).map(({ device }) => device))
  for (const member of members) {
    const device = (await core.certificates.read(member.credential))?.device
    if (!device || !present.has(device)) return false
  }
  return true
}

async function ownOldLeaf(core: DeviceCore, members: readonly Member[]): Promise<Member | undefined> {
  for (const member of members) if ((await core.certificates.read(member.credential))?.device === core.device) return member
  return undefined
}

/** What a device tells that could not follow for a while: that something is missing, and who came and went. */
export async function missed(
  core: DeviceCore,
  { conversation, state }: Hold,
  { group, seq }: { readonly group: Group; readonly seq: number },
): Promise<readonly NewItem[]> {
  const missing: NewItem = { kind: 'unreadable', reason: 'unknown', account: undefined }
  const skipped = state !== undefined && seq > state.cursor + 1
  return [...(skipped ? [missing] : []), ...(await unseenChanges(core, { conversation, group }))]
}

/** Who came and went while this device could not follow: told like every change of membership. */
async function unseenChanges(
  core: DeviceCore,
  { conversation, group }: { conversation: Hold['conversation']; group: Group },
): Promise<readonly NewItem[]> {
  const after = await rosterOf(group, core.certificates)
  const before = new Set((await loadRoster(core.store, conversation)).map((entry) => entry.account))
  const came = after.accounts.filter((person) => !before.has(person))
  const went = [...before].filter((person) => !after.accounts.includes(person))
  return [
    ...came.map((person): NewItem => ({ kind: 'notice', notice: { kind: 'joined', person, by: person } })),
    ...went.map((person): NewItem => ({ kind: 'notice', notice: { kind: 'left', person } })),
  ]
}

/** The server accepted the external commit at `seq`: from here on this device is a member. */
export async function completeJoin(core: DeviceCore, hold: Hold, { sealed, seq }: { sealed: Sealed; seq: number }): Promise<void> {
  const { conversation, state } = hold
  if (!sealed.snapshot || !state) return
  // A Welcome brought this device in at a later place: the join is history, and only its counter was used.
  if (state.standing === 'active' && state.begins >= seq) return settleOldJoin(hold, sealed)
  const { bytes, slots } = unpackSnapshot(sealed.snapshot)
  const group = await core.engine.restore({ snapshot: bytes, slots, identity: core.identity })
  const { note } = readBaggage(sealed.baggage)
  const begins: NewItem = { kind: 'notice', notice: { kind: 'history_begins' } }
  await beginConversation(core, hold, {
    group,
    seq,
    transcript: await transcriptUpTo(core, { conversation, from: readNote(note), upTo: seq }),
    clientSeq: sealed.clientSeq,
    fresh: true,
    items: state.standing === 'paused' ? await missed(core, hold, { group, seq }) : [begins],
    write: async (writer) => {
      await keepOffered(writer, { conversation, seq, hash: sealed.hash })
      await settleSealed(writer, conversation)
    },
  })
}

async function settleOldJoin({ conversation, state, store }: Hold, sealed: Sealed): Promise<void> {
  const clientSeq = Math.max(state?.clientSeq ?? 0, sealed.clientSeq)
  await store({ state: state && { ...state, clientSeq }, write: (writer) => settleSealed(writer, conversation) })
}
