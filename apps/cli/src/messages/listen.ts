/** `listen`: every message as it arrives, one line of JSON each, for scripts. */
import type { SessionState } from '@tacit/sdk'
import { MessengerError } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { chosenConversation } from '../conversations/conversations.ts'
import { until } from '../terminal/until.ts'
import { incomingJson } from './describe.ts'

/**
 * Prints messages until the process is told to stop, which is its good end, or until the session ends. What arrived while
 * nobody listened comes first.
 */
export async function listen(context: SignedInContext, { reference }: { reference: string | undefined }): Promise<void> {
  const { device, voice, session, profile } = context
  const only = reference === undefined ? undefined : (await chosenConversation(context, reference)).conversation
  const titles = device.watch('conversations')
  voice.notice(`listening as @${session.me.handle} on ${profile.server}`)
  await Promise.race([print(), sessionEnd(context)])

  async function print() {
    for await (const message of device.incoming()) {
      if (only !== undefined && message.conversation !== only) continue
      const title = titles.get()?.find(({ conversation }) => conversation === message.conversation)?.title ?? ''
      await voice.line(incomingJson(message, title))
    }
  }
}

async function sessionEnd({ device, world }: SignedInContext): Promise<never> {
  const ended = (session: SessionState) => session.kind !== 'signed_in' || undefined
  await until(device.watch('session'), ended, world.stop)
  throw new MessengerError('session_ended', 'The session has ended.')
}
