/**
 * The server has lost the end of a log that it once gave out: it was restored from a backup. A device that has more of the
 * log than the server, or other entries at the same places, steps back to the last entry that both have. It says so, keeps
 * what it has read, and offers its own lost entries again (offer-again.ts). docs/life-of-a-message.md has the reasons.
 */
import { equalBytes, limits, Refusal, routes, type ConversationId } from '@tacit/contract'
import type { Conversation } from '../conversations/conversation.store.ts'
import { eraseGroup } from '../conversations/group.store.ts'
import type { Hold } from '../conversations/held.ts'
import { UNKNOWN_TRANSCRIPT } from '../conversations/transcript.ts'
import type { DeviceCore } from '../device-core.ts'
import { blob } from '../local-store/columns.ts'
import { addItem } from '../messages/items.store.ts'
import { counterBefore, forgetAfter, knownHashes, noteRollback, rollbackSince, sealAnew } from './rollback.store.ts'

/** How far back the last common entry is looked for, nearer ones first. */
const WINDOWS = [1, 16, 128, 500, 1000, 1500, 2000]

/** Asks the server for its hashes, and steps back if they are others than ours. Returns whether that was so. */
export async function stepBackIfLost(core: DeviceCore, conversation: ConversationId): Promise<boolean> {
  const known = await core.conversations.hold(conversation, async ({ state }) => state)
  if (!known || !isFollowed(known)) return false
  const common = await lastCommon(core, known).catch((error: unknown) => {
    // No member there: what to make of that is for whoever wanted to send.
    if (error instanceof Refusal && error.failure === 'not_found') return { seq: known.cursor, found: true }
    throw error
  })
  if (common.found && common.seq === known.cursor) return false
  const stepped = await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state || !isFollowed(hold.state) || hold.state.cursor !== known.cursor) return false
    await stepBack(core, hold, { state: hold.state, ...common })
    return true
  })
  if (stepped) core.wake(conversation)
  return stepped
}

/**
 * The server does not know any more that this device is a member, because the log that says so is one of those it lost: the device
 * joins anew. Of a device that was removed, and has yet to read so, the server still knows what it may read.
 */
export async function stepOutIfLost(
  core: DeviceCore,
  { conversation, head }: { conversation: ConversationId; head: number },
): Promise<void> {
  const known = await core.conversations.hold(conversation, async ({ state }) => state)
  if (!known || !isFollowed(known)) return
  if (!(await isStranger(core, conversation))) return
  await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state || !isFollowed(hold.state)) return
    await stepBack(core, hold, { state: hold.state, seq: Math.min(head, hold.state.cursor), found: false })
  })
}

async function isStranger({ session }: DeviceCore, conversation: ConversationId): Promise<boolean> {
  try {
    await session.call(routes.delivery.hashes, { params: { conversation }, query: { after: 0, limit: 1 } })
    return false
  } catch (error) {
    if (error instanceof Refusal && error.failure === 'not_found') return true
    throw error
  }
}

/** How long a device waits for the commits of others to be offered again, before it gives up its epoch; milliseconds. */
const PATIENCE = 120_000

/** Whether the device that made the commit between the server's epoch and ours may still be on its way. */
export async function awaitsOthers({ store, clock }: Pick<DeviceCore, 'store' | 'clock'>, conversation: ConversationId): Promise<boolean> {
  const since = await rollbackSince(store, conversation)
  return since !== undefined && clock.now() - since < PATIENCE
}

const isFollowed = ({ standing }: Conversation): boolean => standing === 'active' || standing === 'paused'

interface Common {
  readonly seq: number
  /** False: nothing that this device remembers is in the server's log; `seq` is then just where that ends. */
  readonly found: boolean
}

async function lastCommon(core: DeviceCore, { conversation, cursor }: Conversation): Promise<Common> {
  const { head } = await core.session.call(routes.conversations.show, { params: { conversation } })
  const end = Math.min(head, cursor)
  const ours = await knownHashes(core.store, { conversation, seq: end - (WINDOWS.at(-1) ?? 0) })
  if (ours.size === 0) return { seq: cursor, found: head >= cursor }
  const first = Math.min(...ours.keys())
  for (const window of WINDOWS) {
    const after = Math.max(first - 1, end - window)
    const query = { after, limit: limits.hashesPerPage }
    const { hashes } = await core.session.call(routes.delivery.hashes, { params: { conversation }, query })
    const differs = hashes.findIndex((hash, at) => !isSame(hash, ours.get(after + 1 + at)))
    const same = differs < 0 ? hashes.length : differs
    if (same > 0) return { seq: Math.min(after + same, end), found: true }
    if (after < first) break
  }
  return { seq: end, found: false }
}

const isSame = (theirs: Uint8Array, ours: Uint8Array | undefined): boolean => ours !== undefined && equalBytes(theirs, ours)

/** One transaction: from here on this device has of the log what the server has, and what it had besides is remembered as lost. */
async function stepBack(
  core: DeviceCore,
  { conversation, store }: Hold,
  { state, seq, found }: Common & { state: Conversation },
): Promise<void> {
  const row = await core.store.get('select hash from transcript where conversation = ? and seq = ?', [conversation, seq])
  const clientSeq = (await counterBefore(core.store, { conversation, seq })) ?? state.clientSeq
  const now = core.clock.now()
  const back = {
    ...state,
    cursor: seq,
    clientSeq,
    transcript: row ? blob(row, 'hash') : UNKNOWN_TRANSCRIPT,
    readSeq: Math.min(state.readSeq, seq),
  }
  await store({
    // Without a common entry the group's place in this log is not known either.
    state: found ? back : { ...back, standing: 'paused' },
    ...(!found && { group: 'none' as const }),
    write: async (writer) => {
      await forgetAfter(writer, { conversation, seq })
      await noteRollback(writer, conversation, now)
      const item = { kind: 'notice', notice: { kind: 'tampering', what: 'rollback' } } as const
      await addItem(writer, { conversation, seq, time: now, item })
      if (found) return
      await eraseGroup(writer, conversation)
      await sealAnew(writer, conversation, clientSeq)
    },
  })
}
