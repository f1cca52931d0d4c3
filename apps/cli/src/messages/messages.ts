/** Sending and reading, for people and scripts. */
import { text } from 'node:stream/consumers'
import type { IncomingMessage, MessageState, Timeline, TimelineItem } from '@tacit/sdk'
import { MessengerError } from '@tacit/sdk'
import { catchUp, shown } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { chosenConversation, isKnown } from '../conversations/conversations.ts'
import { CliFailure } from '../failures.ts'
import { historyComing, type Coming } from '../history/coming.ts'
import { soon } from '../terminal/until.ts'
import { describeState, historyLines, itemJson } from './describe.ts'

type Message = Extract<TimelineItem, { kind: 'message' }>
type Sent = Pick<IncomingMessage, 'conversation' | 'message'>

/** How long `send` waits for the server before it leaves the message to the outbox, ms. */
const PATIENCE = 20_000

/**
 * Sends one message and waits until the server has accepted it. The text `-` stands for the whole of standard input, less
 * one line break at its end.
 */
export async function send(context: SignedInContext, { reference, words }: { reference: string; words: readonly string[] }): Promise<void> {
  const { device, voice, world } = context
  const body = words.length === 1 && words[0] === '-' ? (await text(world.stdin)).replace(/\r?\n$/, '') : words.join(' ')
  if (body.trim() === '') throw new CliFailure('usage', 'There is no text to send.')
  const online = await catchUp(context)
  const { conversation, title } = await chosenConversation(context, reference)
  const message = await device.send({ conversation, text: body })
  if (!online) throw notYetSent()
  const sent = await accepted(context, { conversation, message })
  voice.answer({
    json: { conversation, message, seq: sent.seq ?? null, state: sent.state.kind },
    lines: [`${describeState(sent.state)}: ${title}`],
  })
}

/** Prints the last `count` items of a conversation. */
export async function history(
  context: SignedInContext,
  { reference, count, markRead }: { reference: string; count: number; markRead: boolean },
): Promise<void> {
  const coming = await historyComing(context)
  while (!(await isKnown(context, reference)) && (await coming.more()));
  const { conversation } = await chosenConversation(context, reference)
  const items = (await timelineOf(context, { conversation, count, coming })).items.slice(-count)
  context.voice.answer({ json: items.map(itemJson), lines: historyLines(items) })
  if (items.length < count) coming.say()
  const seq = items.findLast((item) => item.seq !== undefined)?.seq
  if (markRead && seq !== undefined) await context.device.markRead({ conversation, seq })
}

/** The newest `count` items, as far as they are here when no more comes from the archive. */
async function timelineOf(
  context: SignedInContext,
  { conversation, count, coming }: Pick<Sent, 'conversation'> & { count: number; coming: Coming },
): Promise<Timeline> {
  const { device } = context
  const live = device.watch('timeline', conversation)
  // It stays as far back as it was opened for as long as somebody watches.
  const stop = live.subscribe(() => undefined)
  try {
    for (;;) {
      const missing = count - (await shown(live, context)).items.length
      await device.loadEarlier({ conversation, count: Math.max(0, missing) })
      const timeline = await shown(live, context)
      if (timeline.items.length >= count) return timeline
      if (!timeline.hasEarlier && !(await coming.more())) return timeline
    }
  } finally {
    stop()
  }
}

/** The message once the server has accepted it. */
async function accepted({ device, world }: SignedInContext, { conversation, message }: Sent): Promise<Message> {
  const settled = (timeline: Timeline | undefined) =>
    timeline?.items.find((item): item is Message => item.kind === 'message' && item.message === message && item.state.kind !== 'sending')
  const item = await soon(device.watch('timeline', conversation), settled, { stop: world.stop, patience: PATIENCE })
  if (!item) throw notYetSent()
  if (item.state.kind === 'failed') throw refused(item.state.reason)
  return item
}

const notYetSent = () => new CliFailure('not_yet_sent', 'The message could not be sent yet.')

function refused(reason: Extract<MessageState, { kind: 'failed' }>['reason']): MessengerError {
  if (reason === 'left') return new MessengerError('not_allowed', 'You are no longer in this conversation.')
  return new MessengerError(reason, `The message was not accepted (${reason.replaceAll('_', ' ')}).`)
}
