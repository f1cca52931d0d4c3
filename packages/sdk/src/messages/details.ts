/** One conversation in detail: its people with their roles, what may be done, how it is encrypted. */
import type { AccountId, ConversationId, RosterEntry } from '@tacit/contract'
import type { ConversationDetails, ConversationMember } from '../api.ts'
import { findConversation } from '../conversations/conversation.store.ts'
import { loadRoster } from '../conversations/roster.store.ts'
import type { Reader } from '../local-store/driver.ts'
import { comparedAccounts } from '../devices/people.store.ts'
import { isAccepted } from '../requests/admission.ts'
import { loadNames, type Names } from './people-names.ts'
import { blockedAccounts, calledBy } from '../vault/contacts.ts'
import { shownRemovals, shownStanding, type Ephemeral } from './summaries.ts'

export async function readDetails(
  reader: Reader,
  { conversation, suite, ephemeral }: { conversation: ConversationId; suite: string; ephemeral: Ephemeral },
): Promise<ConversationDetails | undefined> {
  const state = await findConversation(reader, conversation)
  if (!state) return undefined
  const names = await loadNames(reader)
  const entries = await loadRoster(reader, conversation)
  const accounts = [...new Set(entries.map((entry) => entry.account))]
  const [compared, blocked] = [await comparedAccounts(reader), await blockedAccounts(reader)]
  const members = accounts.map((account) => ({
    ...describeMember(account, { entries, names, ephemeral }),
    compared: compared.has(account),
    blocked: blocked.has(account),
  }))
  const standing = await shownStanding(reader, state)
  // Whoever is asked in answers first.
  const inGroup = standing === 'active' && state.kind === 'group' && (await isAccepted(reader, conversation))
  const admin = members.some((member) => member.me && member.role === 'admin')
  return {
    conversation,
    kind: state.kind,
    title: state.kind === 'direct' && state.peer ? calledBy(names(state.peer)) : state.title,
    standing,
    members,
    removals: await shownRemovals(reader, state, names),
    can: { add: inGroup, remove: inGroup && admin, rename: inGroup, leave: inGroup, changeRoles: inGroup && admin },
    encryption: { suite, epoch: state.epoch, ...(state.rotation.updated > 0 && { renewed: state.rotation.updated }) },
  }
}

function describeMember(
  account: AccountId,
  { entries, names, ephemeral }: { entries: readonly RosterEntry[]; names: Names; ephemeral: Ephemeral },
): Omit<ConversationMember, 'compared' | 'blocked'> {
  const own = entries.filter((entry) => entry.account === account)
  const me = account === ephemeral.me
  return {
    ...names(account),
    role: own.some((entry) => entry.admin) ? 'admin' : 'member',
    me,
    ...(ephemeral.sharesPresence && !me && { online: ephemeral.isOnline(account) }),
    devices: own.length,
  }
}
