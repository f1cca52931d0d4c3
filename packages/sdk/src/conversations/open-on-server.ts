/** Opens a new conversation on the server. If two people start a direct one with each other at once, the server's first one stays. */
import { ConversationId, Refusal, routes } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import type { DeviceCore } from '../device-core.ts'
import { owned } from '../sealing.ts'
import { eraseConversation, saveConversation } from './conversation.store.ts'
import { eraseIntent, type Intent } from './intent.store.ts'
import { emptyConversation } from './join-by-welcome.ts'

type Opening = Extract<Intent, { kind: 'create' }> & { readonly position: number }

export async function openOnServer(
  core: DeviceCore,
  { conversation, intent }: { conversation: ConversationId; intent: Opening },
): Promise<void> {
  try {
    const { as: kind, peer, groupInfo, ratchetTree } = intent
    const body = { conversation, kind, ...(peer && { peer }), groupInfo: owned(groupInfo), ratchetTree: owned(ratchetTree) }
    await core.session.call(routes.conversations.create, { body })
  } catch (error) {
    const existing =
      error instanceof Refusal && error.failure === 'direct_exists' ? ConversationId.safeParse(error.details.conversation).data : undefined
    if (!existing) throw error
    await moveInto(core, { conversation, existing, intent })
    return
  }
  await core.conversations.hold(conversation, async (hold) =>
    hold.store({ state: hold.state, write: (writer) => eraseIntent(writer, intent.position) }),
  )
  core.decided(intent.position)
}

/** What was begun here goes on in the conversation that exists; its messages wait there. */
async function moveInto(
  core: DeviceCore,
  { conversation, existing, intent }: { conversation: ConversationId; existing: ConversationId; intent: Opening },
): Promise<void> {
  await core.conversations.hold(existing, async (hold) => {
    const { state } = hold
    if (state && (state.kind !== 'direct' || (state.peer && state.peer !== intent.peer)))
      throw new MessengerError('identity_mismatch', 'The server names another conversation than the one with this person.')
    if (state) return
    const waiting = { ...emptyConversation({ conversation: existing, kind: 'direct', now: core.clock.now() }), peer: intent.peer }
    await hold.store({ state: waiting, write: (writer) => saveConversation(writer, waiting) })
  })
  await core.conversations.hold(conversation, (hold) =>
    hold.store({
      state: undefined,
      group: 'none',
      write: async (writer) => {
        await writer.run('update outbox set conversation = ? where conversation = ?', [existing, conversation])
        await eraseConversation(writer, conversation)
      },
    }),
  )
  core.decided(intent.position, { kind: 'elsewhere', conversation: existing })
  core.wake(existing)
}
