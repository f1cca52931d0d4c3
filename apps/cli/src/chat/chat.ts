/** The interactive chat: takes the whole terminal, and gives it back as it was. */
import { createElement } from 'react'
import { render } from 'ink'
import type { ConversationSummary } from '@tacit/sdk'
import { catchUp } from '../context.ts'
import type { SignedInContext } from '../context.ts'
import { allConversations, chosenConversation } from '../conversations/conversations.ts'
import { CliFailure } from '../failures.ts'
import { ChatScreen } from './ChatScreen.ts'
import { Desk } from './desk.ts'

/** Runs until the person quits or the process is told to stop. Opens the most recent conversation when none is named. */
export async function chat(context: SignedInContext, { reference }: { reference: string | undefined }): Promise<void> {
  const { device, world } = context
  const { stdin, stdout, stop } = world
  if (!stdin.isTTY || !stdout.isTTY)
    throw new CliFailure('usage', 'The chat needs a terminal.', 'Scripts use `tacit send` and `tacit listen`.')
  await catchUp(context)
  const opened = reference === undefined ? mostRecent(await allConversations(context)) : await chosenConversation(context, reference)
  const quit = () => screen.unmount()
  const screen = render(
    createElement(ChatScreen, {
      desk: new Desk({ device, start: opened?.conversation, quit }),
      session: device.watch('session'),
      connection: device.watch('connection'),
      markRead: (request) => device.markRead(request),
    }),
    { stdin, stdout, alternateScreen: true, incrementalRendering: true, exitOnCtrlC: false },
  )
  stop.addEventListener('abort', quit)
  await screen.waitUntilExit()
}

function mostRecent(conversations: readonly ConversationSummary[]): ConversationSummary | undefined {
  return conversations.find(({ standing }) => standing === 'active') ?? conversations[0]
}
