/** What all ways into a conversation have in common: the transcript up to the joining commit, and the rows of a fresh start. */
import { type AccountId, type ConversationId, type ConversationKind, limits, type Roster, rosterOf, routes } from '@tacit/contract'
import type { Group } from '@tacit/mls'
import type { DeviceCore } from '../device-core.ts'
import type { Writer } from '../local-store/driver.ts'
import { failAll } from '../outbox/outbox.store.ts'
import { addItem, type NewItem } from '../messages/items.store.ts'
import { settleAdmission } from '../requests/admission.ts'
import { epochSignalSecret, saveSignalSecret } from '../signals/signal-keys.ts'
import type { Conversation } from './conversation.store.ts'
import { saveGroup } from './group.store.ts'
import type { Hold } from './held.ts'
import { kindOf } from './judge.ts'
import { saveRoster } from './roster.store.ts'
import { beginRotation } from './rotation.ts'
import { nextTranscript, UNKNOWN_TRANSCRIPT, type Seen } from './transcript.ts'

/** H at `upTo`, from what a member vouched for and the hashes the server gives after it. Later messages tell if those were wrong. */
export async function transcriptUpTo(
  core: DeviceCore,
  { conversation, from, upTo }: { conversation: ConversationId; from: Seen; upTo: number },
): Promise<Uint8Array> {
  let { seq, transcript } = from
  while (seq < upTo) {
    const query = { after: seq, limit: limits.hashesPerPage }
    const page = await core.session.call(routes.delivery.hashes, { params: { conversation }, query })
    // A short page has a hole at its beginning: what it holds would be taken for other positions.
    if (page.hashes.length < Math.min(limits.hashesPerPage, upTo - seq)) return UNKNOWN_TRANSCRIPT
    for (const hash of page.hashes.slice(0, upTo - seq)) transcript = await nextTranscript({ before: transcript, seq: ++seq, hash })
  }
  return transcript
}

export interface Beginning {
  readonly group: Group
  /** Position of the commit that brought this device in; 0 for the creator. */
  readonly seq: number
  readonly transcript: Uint8Array
  readonly clientSeq: number
  /** The own keys in the group were made for it just now, as by a commit of one's own. */
  readonly fresh?: true
  /** Absent: as it was known before, if it was. */
  readonly title?: string
  readonly items: readonly NewItem[]
  /** What else belongs into the same transaction. */
  readonly write: (writer: Writer) => Promise<void>
}

/**
 * Whether a group is what this device expects of the conversation. The server names conversations, so it could pass off one
 * for another: a direct conversation must be with the person it was started with, and with nobody else.
 */
function isExpected(group: { readonly roster: Roster; readonly me: AccountId }, expected: Conversation | undefined): boolean {
  const { policy, accounts } = group.roster
  const isPair =
    policy.admins.length === 2 && policy.admins.includes(group.me) && accounts.every((account) => policy.admins.includes(account))
  if (policy.kind === 'direct' && !isPair) return false
  return !expected?.peer || (policy.kind === 'direct' && policy.admins.includes(expected.peer))
}

/** Nothing is sent into a group that is not the expected one; what waits here is shown as failed. */
async function turnAway(hold: Hold, write: Beginning['write']): Promise<void> {
  const { state, conversation } = hold
  await hold.store({
    state: state && { ...state, standing: 'removed' },
    group: 'none',
    write: async (writer) => {
      await failAll(writer, { conversation, reason: 'left' })
      await write(writer)
    },
  })
}

/** Makes the conversation this device's own, in one transaction. What was here before (outbox, items) stays. */
export async function beginConversation(core: DeviceCore, hold: Hold, beginning: Beginning): Promise<void> {
  const { conversation } = hold
  const { group, seq, transcript, clientSeq } = beginning
  const roster = await rosterOf(group, core.certificates)
  if (!isExpected({ roster, me: core.account }, hold.state)) return turnAway(hold, beginning.write)
  const kind: ConversationKind = kindOf(group.policy)
  const epoch = Number(group.epoch)
  const secret = await epochSignalSecret(core.engine, group)
  const now = core.clock.now()
  const state: Conversation = {
    conversation,
    kind,
    standing: 'active',
    stuck: false,
    title: beginning.title ?? hold.state?.title ?? '',
    titleOwed: 0,
    peer: kind === 'direct' ? roster.policy.admins.find((account) => account !== core.account) : undefined,
    epoch,
    cursor: seq,
    transcript,
    begins: seq,
    clientSeq,
    readSeq: Math.max(seq, hold.state?.readSeq ?? 0),
    rotation: beginRotation({ fresh: beginning.fresh ?? false, leaves: group.members.length, now }),
    activity: Math.max(now, hold.state?.activity ?? 0),
  }
  await hold.store({
    state,
    group,
    write: async (writer) => {
      await saveGroup(writer, { conversation, persist: core.engine.snapshot(group) })
      await saveRoster(writer, { conversation, roster })
      await saveSignalSecret(writer, { conversation, epoch, secret })
      for (const table of ['nack_owed', 'stranded', 'rollback'])
        await writer.run(`delete from ${table} where conversation = ?`, [conversation])
      await writer.run('delete from counter where conversation = ?', [conversation])
      await writer.run('delete from transcript where conversation = ?', [conversation])
      if (transcript.length > 0)
        await writer.run('insert into transcript (conversation, seq, hash) values (?, ?, ?)', [conversation, seq, transcript])
      for (const item of beginning.items) await addItem(writer, { conversation, seq, time: now, item })
      await beginning.write(writer)
      await settleAdmission(writer, conversation)
    },
  })
}
