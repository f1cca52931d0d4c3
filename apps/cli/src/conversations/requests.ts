/** What strangers began, and the answers to it. Until they are answered they stand apart: no command takes one for a conversation of its person. */
import type { ConversationSummary } from '@tacit/sdk'
import { catchUp, type SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { recently } from '../terminal/when.ts'
import { printable } from '../terminal/printable.ts'
import { allConversations, isRequest } from './conversations.ts'
import { conversationThatFits, shortId } from './reference.ts'

/** Without what they say or what they call their group. */
export async function requests(context: SignedInContext): Promise<void> {
  const waiting = await waitingRequests(context)
  const ids = waiting.map(({ conversation }) => conversation)
  const now = context.world.now()
  context.voice.answer({
    json: waiting.map(requestJson),
    lines: waiting.length === 0 ? ['Nobody is waiting for an answer.'] : waiting.map((one) => requestLine({ one, ids, now })),
  })
}

export async function accept(context: SignedInContext, { reference }: { reference: string }): Promise<void> {
  const { conversation } = await chosenRequest(context, reference)
  await context.device.acceptRequest({ conversation })
  context.voice.answer({ json: { conversation }, lines: ['accepted: from now on they see what you have received and read'] })
}

export async function decline(context: SignedInContext, { reference, block }: { reference: string; block: boolean }): Promise<void> {
  const { conversation, request } = await chosenRequest(context, reference)
  await context.device.declineRequest({ conversation, block })
  const blocked = block && request?.by ? `, and @${printable(request.by.handle)} is blocked` : ''
  context.voice.answer({ json: { conversation, blocked: block }, lines: [`deleted${blocked}`] })
}

/** By the handle of who asks, too. */
async function chosenRequest(context: SignedInContext, reference: string): Promise<ConversationSummary> {
  const waiting = await waitingRequests(context)
  const found = conversationThatFits(
    reference,
    waiting.map((one) => ({ ...one, ...(one.request?.by && { peer: one.request.by }) })),
  )
  if (!found) throw new CliFailure('not_found', `Nobody called “${reference}” waits for an answer.`, 'See `tacit requests`.')
  return found
}

async function waitingRequests(context: SignedInContext): Promise<readonly ConversationSummary[]> {
  await catchUp(context)
  return (await allConversations(context)).filter(isRequest)
}

function requestJson({ conversation, kind, people, lastActivity, request }: ConversationSummary) {
  const by = request?.by ? { by: { account: request.by.account, handle: request.by.handle } } : {}
  return { conversation, kind, people, lastActivity: new Date(lastActivity).toISOString(), ...by }
}

function requestLine({ one, ids, now }: { one: ConversationSummary; ids: readonly string[]; now: number }): string {
  const { conversation, kind, people, lastActivity, request } = one
  const who = request?.by ? `@${printable(request.by.handle)}` : 'somebody'
  const what = kind === 'direct' ? 'wants to write to you' : `invites you to a group of ${people}`
  return `${shortId(conversation, ids).padEnd(8)} ${recently({ time: lastActivity, now }).padEnd(10)} ${who} ${what}`
}
