/** Answering to somebody who brought this person into a conversation. Writing in it is an answer, too. */
import type { ConversationId } from '@tacit/contract'
import { MessengerError, type Verbs } from '../api.ts'
import { findConversation, type Conversation } from '../conversations/conversation.store.ts'
import { addIntent } from '../conversations/intent.store.ts'
import type { DeviceCore } from '../device-core.ts'
import type { SharedState } from '../vault/shared-state.ts'
import { blockOf, handleOf } from '../vault/contacts.ts'
import { loadNames } from '../messages/people-names.ts'
import { admissionOf, broughtBy, byOf, metOf, talkOf } from './admission.ts'

interface Answering {
  readonly core: DeviceCore
  readonly shared: SharedState
}

type RequestVerbs = Pick<Verbs, 'acceptRequest' | 'declineRequest'>

export function requestVerbs(answering: () => Answering): RequestVerbs {
  return {
    acceptRequest: ({ conversation }) => takeUp(answering(), conversation),
    declineRequest: ({ conversation, block }) => decline(answering(), { conversation, block }),
  }
}

/** This person takes part: from now on the others see it as in any conversation. Nothing happens where they do already. */
export async function takeUp({ core, shared }: Answering, conversation: ConversationId): Promise<void> {
  const state = await mustKnow(core, conversation)
  if ((await admissionOf(core.store, conversation)) === 'accepted') return
  const { peer } = state
  const handle = peer && (await loadNames(core.store))(peer).handle
  await shared.set('people', {
    [talkOf(conversation)]: true,
    [byOf(conversation)]: undefined,
    ...(peer && { [metOf(peer)]: true }),
    ...(peer && handle && { [handleOf(peer)]: handle }),
  })
}

/** Out of sight on all own devices, and out of the group. A direct conversation has no way out: it only stays unseen. */
async function decline(
  { core, shared }: Answering,
  { conversation, block }: { readonly conversation: ConversationId; readonly block: boolean },
): Promise<void> {
  const state = await mustKnow(core, conversation)
  if ((await admissionOf(core.store, conversation)) === 'accepted')
    throw new MessengerError('not_allowed', 'This conversation was accepted already.')
  const asker = state.peer ?? (await broughtBy(core.store, conversation))
  if (block && !asker) throw new MessengerError('not_found', 'This device does not know who asked.')
  const blocked =
    block && asker ? { [blockOf(asker)]: core.clock.now(), [handleOf(asker)]: (await loadNames(core.store))(asker).handle } : {}
  if (state.kind === 'group' && state.standing === 'active') await wishToLeave(core, conversation)
  await shared.set('people', { ...blocked, [talkOf(conversation)]: false, [byOf(conversation)]: undefined })
  core.wake(conversation)
}

const wishToLeave = (core: DeviceCore, conversation: ConversationId): Promise<void> =>
  core.conversations.hold(conversation, (hold) =>
    hold.store({
      state: hold.state,
      write: async (writer) => void (await addIntent(writer, { conversation, intent: { kind: 'leave' }, now: core.clock.now() })),
    }),
  )

async function mustKnow({ store }: DeviceCore, conversation: ConversationId): Promise<Conversation> {
  const state = await findConversation(store, conversation)
  if (!state) throw new MessengerError('not_found', 'There is no such conversation.')
  return state
}
