/** The list of conversations: newest activity first, each with its last words and what is unread. */
import { AccountId, type ConversationId } from '@tacit/contract'
import type { ConversationStanding, ConversationSummary, MessageState, Person, WaitingRemoval } from '../api.ts'
import { allConversations, type Conversation } from '../conversations/conversation.store.ts'
import { waitingRemovals } from '../conversations/intent.store.ts'
import { isCompared } from '../devices/people.store.ts'
import { id, integer, optionalText, text } from '../local-store/columns.ts'
import type { Reader } from '../local-store/driver.ts'
import { admissionOf, broughtBy } from '../requests/admission.ts'
import { withCalmRequests } from '../requests/tray.ts'
import { othersProgress } from '../signals/receipts.store.ts'
import { calledBy, isBlocked, isFromBlocked, NOT_BLOCKED } from '../vault/contacts.ts'
import { loadDraft, readPlace } from '../vault/places.ts'
import { continuationOf } from './continuation.ts'
import { loadNames, type Names } from './people-names.ts'
import { failedState, stateOf } from './timeline.ts'

/** What is not on disk: who writes, who is online. */
export interface Ephemeral {
  readonly me: AccountId
  typing(conversation: ConversationId): readonly AccountId[]
  isOnline(account: AccountId): boolean
  /** Whether this account shares presence; without it nobody's is shown. */
  readonly sharesPresence: boolean
}

/** The first words of a message, for a list. */
const PREVIEW = 140

/** Reads again only what changed: somebody may have a thousand conversations, and a message changes one. */
export class Summaries {
  readonly #known = new Map<ConversationId, ConversationSummary>()
  #changes = 0

  /** A conversation, or all of them, look different now. */
  changed(conversation?: ConversationId): void {
    this.#changes += 1
    if (conversation) this.#known.delete(conversation)
    else this.#known.clear()
  }

  async read(reader: Reader, ephemeral: Ephemeral): Promise<readonly ConversationSummary[]> {
    const names = await loadNames(reader)
    const summaries: ConversationSummary[] = []
    for (const state of await allConversations(reader))
      if (!(await isHidden(reader, state))) summaries.push(await this.#summary(reader, { state, names, ephemeral }))
    return withCalmRequests(summaries.toSorted((left, right) => right.lastActivity - left.lastActivity))
  }

  async #summary(reader: Reader, of: { state: Conversation; names: Names; ephemeral: Ephemeral }): Promise<ConversationSummary> {
    const { conversation } = of.state
    const known = this.#known.get(conversation)
    if (known) return known
    const before = this.#changes
    const fresh = await summarize(reader, of)
    // What changed while it was read may be missing in it.
    if (this.#changes === before) this.#known.set(conversation, fresh)
    return fresh
  }
}

async function isHidden(reader: Reader, state: Conversation): Promise<boolean> {
  const { conversation, peer } = state
  const admission = await admissionOf(reader, conversation)
  if (admission === 'declined') return true
  // A device that joined by itself has not seen who began it; the vault knows who asked.
  const asker = admission === 'asked' ? (peer ?? (await broughtBy(reader, conversation))) : undefined
  return (asker !== undefined && (await isBlocked(reader, asker))) || isFromBlocked(reader, state)
}

async function summarize(
  reader: Reader,
  { state, names, ephemeral }: { state: Conversation; names: Names; ephemeral: Ephemeral },
): Promise<ConversationSummary> {
  const { conversation, kind } = state
  const peer = state.peer && names(state.peer)
  const counts = await reader.get(
    `select (select count(distinct account) from member where conversation = ?1) as people,
       (select count(*) from item where conversation = ?1 and kind = 'message' and mine = 0
         and seq > case when restored = 0 then ?2 else ?3 end and ${NOT_BLOCKED}) as unread`,
    // What came from the archive is unread only if another own device says so.
    [conversation, state.readSeq, (await readPlace(reader, conversation)) ?? Number.MAX_SAFE_INTEGER],
  )
  const last = await lastWords(reader, { conversation, names, me: ephemeral.me })
  const removals = await shownRemovals(reader, state, names)
  const standing = await shownStanding(reader, state)
  const continuedIn = standing === 'stuck' ? await continuationOf(reader, conversation) : undefined
  const draft = await loadDraft(reader, conversation)
  const showsPresence = kind === 'direct' && peer && ephemeral.sharesPresence
  return {
    conversation,
    kind,
    title: kind === 'direct' ? (peer ? calledBy(peer) : '') : state.title,
    standing,
    ...(continuedIn && { continuedIn }),
    ...(peer && { peer }),
    ...(showsPresence && { peerOnline: ephemeral.isOnline(peer.account) }),
    ...(kind === 'direct' && peer && { peerCompared: await isCompared(reader, peer.account) }),
    ...(peer && (await isBlocked(reader, peer.account)) && { peerBlocked: true }),
    ...(draft !== undefined && { draft }),
    ...(removals.length > 0 && { removals }),
    people: counts ? integer(counts, 'people') : 0,
    unread: counts ? integer(counts, 'unread') : 0,
    lastActivity: state.activity,
    ...(last && { last }),
    ...((await isRequest(reader, state)) && { request: await askedBy(reader, { state, names }) }),
    typing: ephemeral.typing(conversation).map(names),
  }
}

/** A conversation that one is in no more waits for no answer. */
async function isRequest(reader: Reader, { conversation, standing }: Conversation): Promise<boolean> {
  return standing !== 'left' && standing !== 'removed' && (await admissionOf(reader, conversation)) === 'asked'
}

async function askedBy(reader: Reader, { state, names }: { state: Conversation; names: Names }): Promise<{ readonly by?: Person }> {
  const account = state.peer ?? (await broughtBy(reader, state.conversation))
  return account ? { by: names(account) } : {}
}

/** Who asked to leave has left, for the person; the others still have to commit it. */
export async function shownStanding(reader: Reader, { conversation, standing, stuck }: Conversation): Promise<ConversationStanding> {
  if (standing === 'paused' && stuck) return 'stuck'
  const leaving = await reader.get("select 1 as found from intent where conversation = ? and kind = 'leave'", [conversation])
  return leaving && standing === 'active' ? 'left' : standing
}

/** What somebody who is out of the conversation themselves once asked for is nobody's any more. */
export async function shownRemovals(
  reader: Reader,
  { conversation, standing }: Conversation,
  names: Names,
): Promise<readonly WaitingRemoval[]> {
  if (standing === 'left' || standing === 'removed') return []
  return (await waitingRemovals(reader, conversation)).map(({ account, ...waiting }) => ({ person: names(account), ...waiting }))
}

async function lastWords(reader: Reader, { conversation, names, me }: { conversation: ConversationId; names: Names; me: AccountId }) {
  const waiting = await reader.get(
    "select text, time, failed from outbox where conversation = ? and kind = 'text' order by position desc limit 1",
    [conversation],
  )
  if (waiting) {
    const failed = optionalText(waiting, 'failed')
    const state: MessageState = failed === undefined ? { kind: 'sending' } : failedState(failed)
    return { preview: text(waiting, 'text').slice(0, PREVIEW), sender: names(me), mine: true, time: integer(waiting, 'time'), state }
  }
  const row = await reader.get(
    `select * from item where conversation = ? and kind = 'message' and ${NOT_BLOCKED} order by seq desc, part desc limit 1`,
    [conversation],
  )
  if (!row) return undefined
  const mine = row['mine'] === 1
  const state = mine ? stateOf(integer(row, 'seq'), await othersProgress(reader, { conversation, me })) : undefined
  return {
    preview: text(row, 'text').slice(0, PREVIEW),
    sender: names(id(row, 'account', AccountId)),
    mine,
    time: integer(row, 'time'),
    ...(state && { state }),
  }
}
