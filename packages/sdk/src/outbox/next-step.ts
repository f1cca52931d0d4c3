/**
 * What a conversation has to do next, sealed and ready to send: first what is sealed already, then the way in if this device
 * is not (or no longer) inside, then wanted changes, then messages in the order they were written.
 *
 * What needs the server (key packages, the door of a conversation) is fetched before the conversation is held.
 */
import { type ConversationId, rosterOf } from '@tacit/contract'
import type { Group } from '@tacit/mls'
import type { Conversation } from '../conversations/conversation.store.ts'
import type { Hold } from '../conversations/held.ts'
import { eraseIntent, nextIntent, type StoredIntent } from '../conversations/intent.store.ts'
import { fetchDoor, sealJoin } from '../conversations/join-by-commit.ts'
import { owedNack, type OwedNack } from '../conversations/nack.store.ts'
import { openOnServer } from '../conversations/open-on-server.ts'
import { owesUpdate } from '../conversations/rotation-facts.ts'
import { sealCommit } from '../conversations/seal-commit.ts'
import { broughtBack, inviteStranded } from '../conversations/stranded.ts'
import { invite, wantedFor, withdrawnLeaves, type Invitation, type Invitations } from '../conversations/wanted-commit.ts'
import type { DeviceCore } from '../device-core.ts'
import { failAll, findSealed, nextWaiting, type Sealed } from './outbox.store.ts'
import { isAccepted } from '../requests/admission.ts'
import { nextOffered } from '../rollback/rollback.store.ts'
import { sealMessage, sealNack, sealRemoveProposal } from './seal.ts'

export interface Tasks {
  /** It is this device's turn to commit what is due: proposals of others, withdrawn own leaves, fresh keys. */
  readonly commit: boolean
}

/** `again`: something changed, ask once more. Rejects with what kept it from being prepared. */
export type Step =
  /** `overtaken`: the log is past its epoch without it, whatever the server has answered. */
  | { readonly kind: 'send'; readonly sealed: Sealed; readonly overtaken: boolean }
  /** It was in the log before, and the server lost it. */
  | { readonly kind: 'offer_again'; readonly entry: Sealed }
  | { readonly kind: 'again' }
  | { readonly kind: 'rest' }

const AGAIN: Step = { kind: 'again' }
const REST: Step = { kind: 'rest' }
const NOBODY: Invitations = { invitations: [], more: false }

export async function nextStep(core: DeviceCore, conversation: ConversationId, tasks: Tasks): Promise<Step> {
  const now = await core.conversations.hold(conversation, async (hold) => ({
    state: hold.state,
    group: hold.group,
    offered: hold.state && (await nextOffered(core.store, conversation, hold.state.clientSeq)),
    sealed: await findSealed(core.store, conversation),
    intent: await nextIntent(core.store, conversation),
    owed: await owedNack(core.store, conversation),
    accepted: await isAccepted(core.store, conversation),
  }))
  if (!now.state) return REST
  if (now.offered) return { kind: 'offer_again', entry: now.offered }
  if (now.sealed) return { kind: 'send', sealed: now.sealed, overtaken: isOvertaken(now.state, now.sealed) }
  // Whoever sends what cannot be read would learn from the repair that somebody tried.
  if (now.state.standing === 'paused' && !now.accepted) return REST
  if (now.state.standing === 'paused' && now.owed) return report(core, now.state, now.owed)
  if (now.state.standing === 'joining' || now.state.standing === 'paused') return enter(core, now.state)
  if (now.state.standing !== 'active' || !now.group) return REST
  if (now.intent) return pursue(core, { state: now.state, group: now.group, intent: now.intent })
  if (tasks.commit) {
    const repairs = await inviteStranded(core, conversation)
    const did = await core.conversations.hold(conversation, (hold) => commitRoutine(core, hold, repairs))
    if (did) return AGAIN
  }
  return core.conversations.hold(conversation, (hold) => sealNextMessage(core, hold))
}

/** Of a member's own entry: one that is in the log is met before the commit that ends its epoch, or is that commit. */
const isOvertaken = ({ standing, epoch }: Conversation, sealed: Sealed): boolean =>
  standing === 'active' && sealed.kind !== 'join' && sealed.kind !== 'nack' && epoch > sealed.epoch

/** First the others are told, then this device tries the door: when that does not open, they bring it back. */
async function report(core: DeviceCore, { conversation }: Conversation, owed: OwedNack): Promise<Step> {
  return core.conversations.hold(conversation, async (hold) => {
    if (hold.state?.standing === 'paused') await sealNack(core, hold, owed)
    return AGAIN
  })
}

async function enter(core: DeviceCore, { conversation, kind, standing, stuck }: Conversation): Promise<Step> {
  if (stuck) return REST
  const door = await fetchDoor(core, conversation)
  if (!door && kind === 'group' && standing === 'joining') await noteGone(core, conversation)
  if (!door) return REST
  return core.conversations.hold(conversation, async (hold) => {
    // A Welcome may have come meanwhile.
    if (hold.state?.standing !== standing) return AGAIN
    return (await sealJoin(core, hold, door)) ? AGAIN : REST
  })
}

async function pursue(
  core: DeviceCore,
  { state, group, intent }: { state: Conversation; group: Group; intent: StoredIntent },
): Promise<Step> {
  const { conversation } = state
  if (intent.kind === 'create') {
    await openOnServer(core, { conversation, intent })
    return AGAIN
  }
  if (intent.kind === 'leave') return core.conversations.hold(conversation, (hold) => sealLeave(core, hold, intent))
  const roster = await rosterOf(group, core.certificates)
  const { invitations, more } = intent.kind === 'add' ? await invite(core, { accounts: intent.accounts, roster }) : NOBODY
  return core.conversations.hold(conversation, async (hold) => {
    if (!hold.group || hold.state?.standing !== 'active') return AGAIN
    const { rotation } = hold.state
    const wanted = wantedFor(intent, { roster: await rosterOf(hold.group, core.certificates), rotation, invitations })
    // The intent stays until the commit that makes all of it true.
    if (wanted) await sealCommit(core, hold, { wanted, intent: more ? undefined : intent.position })
    else {
      await hold.store({ state: hold.state, write: (writer) => eraseIntent(writer, intent.position) })
      core.decided(intent.position)
    }
    return AGAIN
  })
}

/** Leaving: a proposal for each own leaf, then it is for the others to commit. Whoever is alone is simply gone. */
async function sealLeave(core: DeviceCore, hold: Hold, intent: StoredIntent): Promise<Step> {
  const { state, group, conversation } = hold
  if (!state || !group) return AGAIN
  const roster = await rosterOf(group, core.certificates)
  if (roster.accounts.every((account) => account === core.account)) {
    const left = { ...state, standing: 'left' as const }
    await hold.store({
      state: left,
      group: 'none',
      write: async (writer) => {
        await failAll(writer, { conversation, reason: 'left' })
        await eraseIntent(writer, intent.position)
      },
    })
    core.decided(intent.position)
    return AGAIN
  }
  const proposed = new Set(group.pendingProposals.map((proposal) => proposal.removes))
  // The own leaf last: after it is removed nobody could propose the others.
  const leaves = roster.entries.filter((entry) => entry.account === core.account && !proposed.has(entry.leaf))
  const next = leaves.find((entry) => entry.device !== core.device) ?? leaves[0]
  if (!next) return REST
  await sealRemoveProposal(core, hold, { leaf: next.leaf, intent: intent.position })
  return AGAIN
}

/** The person was in this group, and went before this device came in. */
function noteGone(core: DeviceCore, conversation: ConversationId): Promise<void> {
  return core.conversations.hold(conversation, async (hold) => {
    if (hold.state?.standing !== 'joining') return
    await hold.store({
      state: { ...hold.state, standing: 'left' },
      group: 'none',
      write: (writer) => failAll(writer, { conversation, reason: 'left' }),
    })
  })
}

/** Returns whether there was something to commit. */
async function commitRoutine(core: DeviceCore, hold: Hold, repairs: readonly Invitation[]): Promise<boolean> {
  const { group, state } = hold
  if (!group || state?.standing !== 'active') return false
  const withdrawn = await withdrawnLeaves(core, group)
  const { add, remove } = await broughtBack(core, hold, repairs)
  const isDue = withdrawn.length > 0 || add.length > 0 || group.pendingProposals.length > 0 || (await owesUpdate(core, hold, 'turn'))
  if (!isDue) return false
  await sealCommit(core, hold, { wanted: { add, remove: [...withdrawn, ...remove] }, intent: undefined })
  return true
}

/**
 * Proposals that wait are committed first, so that nobody who is about to go reads what comes after (RFC 9420 section 12.4).
 */
async function sealNextMessage(core: DeviceCore, hold: Hold): Promise<Step> {
  const { group, state, conversation } = hold
  const waiting = await nextWaiting(core.store, conversation)
  if (!waiting || !group || state?.standing !== 'active') return REST
  if (group.pendingProposals.length > 0 || (await owesUpdate(core, hold, 'message')))
    await sealCommit(core, hold, { wanted: { add: [], remove: [] }, intent: undefined })
  else await sealMessage(core, hold, waiting)
  return AGAIN
}
