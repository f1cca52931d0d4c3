/** Conversations and the people in them. */
import type { ConversationDetails, ConversationSummary, Person, Timeline, TimelineItem } from '@tacit/sdk'
import { MessengerError } from '@tacit/sdk'
import { catchUp, shown } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { historyComing } from '../history/coming.ts'
import { soon } from '../terminal/until.ts'
import { recently } from '../terminal/when.ts'
import { lateRemovals } from './late-removals.ts'
import { conversationThatFits, findConversation, fitsAny, shortId } from './reference.ts'

/** How long a new title may take to be accepted, or a conversation to be joined, ms. */
const PATIENCE = 10_000

/** How long to wait for the others to confirm a departure, ms; it is certain without them. */
const COURTESY = 3_000

/** Prints all conversations, the most recent first. */
export async function list(context: SignedInContext): Promise<void> {
  const coming = await historyComing(context)
  while (!coming.hasNewest && (await coming.more()));
  const all = await joinedConversations(context)
  const conversations = all.filter((one) => !isRequest(one))
  const waiting = all.length - conversations.length
  const hint = waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'request' : 'requests'}: see \`tacit requests\`.`]
  const ids = conversations.map(({ conversation }) => conversation)
  const now = context.world.now()
  context.voice.answer({
    json: conversations.map(summaryJson),
    lines: [
      ...(conversations.length === 0 ? ['No conversations yet.'] : conversations.map((one) => summaryLine({ one, ids, now }))),
      ...hint,
    ],
  })
  coming.say()
}

export async function find({ device, voice }: SignedInContext, { handle }: { handle: string }): Promise<void> {
  const person = await device.findPerson({ handle: bare(handle) })
  if (!person) throw new MessengerError('not_found', `There is nobody called @${bare(handle)}.`)
  voice.answer({ json: { account: person.account, handle: person.handle }, lines: [`@${person.handle}`] })
}

export async function direct({ device, voice }: SignedInContext, { handle }: { handle: string }): Promise<void> {
  const conversation = await device.startDirect({ handle: bare(handle) })
  voice.answer({ json: { conversation }, lines: [conversation] })
}

export async function create(
  { device, voice }: SignedInContext,
  { title, handles }: { title: string; handles: readonly string[] },
): Promise<void> {
  const conversation = await device.createGroup({ title, handles: handles.map(bare) })
  voice.answer({ json: { conversation }, lines: [conversation] })
}

export async function add(
  context: SignedInContext,
  { reference, handles }: { reference: string; handles: readonly string[] },
): Promise<void> {
  const { conversation, title } = await currentConversation(context, reference)
  await context.device.addPeople({ conversation, handles: handles.map(bare) })
  context.voice.answer({ json: { conversation }, lines: [`added to ${title}`] })
}

export async function rotate(context: SignedInContext, { reference }: { reference: string }): Promise<void> {
  const { conversation, title } = await currentConversation(context, reference)
  await context.device.rotateKeys({ conversation })
  context.voice.answer({ json: { conversation }, lines: [`fresh keys in ${title}`] })
}

export async function remove(context: SignedInContext, { reference, handle }: { reference: string; handle: string }): Promise<void> {
  const { conversation, title } = await currentConversation(context, reference)
  const details = await shown(context.device.watch('details', conversation), context)
  const member = details.members.find((one) => one.handle.toLowerCase() === bare(handle).toLowerCase())
  if (!member) throw new CliFailure('not_found', `@${bare(handle)} is not in ${title}.`)
  await context.device.removePerson({ conversation, account: member.account })
  context.voice.answer({ json: { conversation }, lines: [`removed from ${title}`] })
}

/** Leaves a group. It is complete when another member's device has confirmed it, which may be later. */
export async function leave(context: SignedInContext, { reference }: { reference: string }): Promise<void> {
  const { device, voice, world, session } = context
  const { conversation, title, people } = await currentConversation(context, reference)
  await device.leave({ conversation })
  const gone = (timeline: Timeline | undefined) => timeline?.items.some((item) => tellsDeparture(item, session.me)) || undefined
  const confirmed =
    people === 1 || (await soon(device.watch('timeline', conversation), gone, { stop: world.stop, patience: COURTESY })) === true
  const later = confirmed ? '' : '; it is complete when one of the others has been online'
  voice.answer({ json: { conversation, confirmed }, lines: [`left ${title}${later}`] })
}

export async function rename(context: SignedInContext, { reference, title }: { reference: string; title: string }): Promise<void> {
  const { device, voice, world } = context
  const { conversation } = await currentConversation(context, reference)
  await device.rename({ conversation, title })
  const named = (details: ConversationDetails | undefined) => details?.title === title.trim() || undefined
  const renamed = await soon(device.watch('details', conversation), named, { stop: world.stop, patience: PATIENCE })
  if (!renamed) throw new CliFailure('not_yet_sent', 'The new title could not be sent yet.')
  voice.answer({ json: { conversation, title: title.trim() }, lines: [`renamed to ${title.trim()}`] })
}

/**
 * The conversation that a person named, among those on this device. By its title only what they have taken up: a stranger chooses
 * the titles of their groups. Says when somebody in it should be gone.
 */
export async function chosenConversation(context: SignedInContext, reference: string): Promise<ConversationSummary> {
  const chosen =
    conversationThatFits(reference, nameable(await allConversations(context))) ??
    findConversation(reference, nameable(await joinedConversations(context)))
  for (const line of lateRemovals(chosen.removals ?? [])) context.voice.notice(line)
  return chosen
}

/** Whether there is such a conversation on this device, or several. */
export const isKnown = async (context: SignedInContext, reference: string): Promise<boolean> =>
  fitsAny(reference, nameable(await allConversations(context)))

const nameable = (all: readonly ConversationSummary[]): readonly ConversationSummary[] =>
  all.map((one) => (isRequest(one) && one.kind === 'group' ? { ...one, title: '' } : one))

export const isRequest = ({ request }: ConversationSummary): boolean => request !== undefined

export async function currentConversation(context: SignedInContext, reference: string): Promise<ConversationSummary> {
  await catchUp(context)
  return chosenConversation(context, reference)
}

/** All conversations on this device, the most recent first. */
export function allConversations(context: SignedInContext): Promise<readonly ConversationSummary[]> {
  return shown(context.device.watch('conversations'), context)
}

/** The same, once this device is in those that it is about to join: before that it may not know what they are called. */
async function joinedConversations(context: SignedInContext): Promise<readonly ConversationSummary[]> {
  const { device, world } = context
  const areJoined = (all: readonly ConversationSummary[] | undefined) => all?.every(({ standing }) => standing !== 'joining') || undefined
  if (device.watch('connection').get().kind === 'online')
    await soon(device.watch('conversations'), areJoined, { stop: world.stop, patience: PATIENCE })
  return allConversations(context)
}

function tellsDeparture(item: TimelineItem, me: Person): boolean {
  return item.kind === 'notice' && item.notice.kind === 'left' && item.notice.person.account === me.account
}

/** A handle as people write it, with or without the @. */
export const bare = (handle: string): string => handle.replace(/^@/, '')

function summaryJson({ conversation, kind, title, standing, people, unread, lastActivity, peer }: ConversationSummary) {
  const other = peer ? { peer: { account: peer.account, handle: peer.handle } } : {}
  return { conversation, kind, title, standing, people, unread, lastActivity: new Date(lastActivity).toISOString(), ...other }
}

function summaryLine({ one, ids, now }: { one: ConversationSummary; ids: readonly string[]; now: number }): string {
  const unread = one.unread > 0 ? `${one.unread} new` : ''
  const name = one.kind === 'direct' ? `@${one.title}` : `${one.title} (${one.people})`
  const standing = one.standing === 'active' ? '' : ` [${one.standing}]`
  const preview = one.last ? `: ${one.last.mine ? 'you: ' : ''}${one.last.preview}` : ''
  const id = shortId(one.conversation, ids).padEnd(8)
  return `${id} ${recently({ time: one.lastActivity, now }).padEnd(10)} ${unread.padEnd(7)} ${name}${standing}${preview}`
}
