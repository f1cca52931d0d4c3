/** `listen`: every message as it arrives, one line of JSON each, for scripts. */
import type { ConversationSummary, IncomingMessage } from '@tacit/sdk'
import { MessengerError } from '@tacit/sdk'
import { signedIn } from '../context.ts'
import type { Context, SignedInContext } from '../context.ts'
import { chosenConversation } from '../conversations/conversations.ts'
import { until } from '../terminal/until.ts'
import { incomingJson } from './describe.ts'

/**
 * Prints messages until the process is told to stop, which is its good end, or until the session ends. What the server kept
 * for this device comes first; what another command of this profile fetched before is in `history`.
 */
export async function listen(context: Context, { reference }: { reference: string | undefined }): Promise<void> {
  // Before anything else, so that nothing arrives unseen.
  const arriving = context.device.incoming()
  const me = await signedIn(context)
  const only = reference === undefined ? undefined : (await chosenConversation(me, reference)).conversation
  context.voice.notice(`listening as @${me.session.me.handle} on ${context.profile.server}`)
  await Promise.race([print(me, { arriving, only }), sessionEnd(context)])
}

interface Printed {
  readonly arriving: AsyncIterable<IncomingMessage>
  readonly only: ConversationSummary['conversation'] | undefined
}

async function print({ device, voice }: SignedInContext, { arriving, only }: Printed): Promise<void> {
  const conversations = device.watch('conversations')
  conversations.subscribe(() => {})
  for await (const message of arriving) {
    if (only !== undefined && message.conversation !== only) continue
    const found = conversations.get()?.find(({ conversation }) => conversation === message.conversation)
    const isInvitation = message.request === true && found?.kind === 'group'
    await voice.line(incomingJson(message, isInvitation ? '' : (found?.title ?? '')))
  }
}

async function sessionEnd({ device, world }: Context): Promise<never> {
  await until(device.watch('session'), (session) => session.kind !== 'signed_in' || undefined, world.stop)
  throw new MessengerError('session_ended', 'The session has ended.')
}
