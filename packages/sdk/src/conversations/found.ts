/** Conversations as the server tells of them: those that this device has yet to join, and those whose log ends before its own. */
import { limits, routes, type ConversationId, type ConversationKind } from '@tacit/contract'
import { forgetBegunAnew, hasBegunAnew } from '../account/settings.ts'
import type { DeviceCore } from '../device-core.ts'
import { noteTurnedTo } from '../requests/admission.ts'
import { stepBackIfLost, stepOutIfLost } from '../rollback/step-back.ts'
import { backOff, isPassing } from '../trouble.ts'
import { emptyConversation } from './join-by-welcome.ts'

interface Found {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly head: number
  readonly joined: boolean
}

/** Asks for all conversations of the account and compares each with what is here. Rejects as the server does. */
export async function findConversations(core: DeviceCore): Promise<void> {
  let after: ConversationId | undefined
  const anew = await hasBegunAnew(core.store)
  do {
    const query = { limit: limits.conversationsPerPage, ...(after && { after }) }
    const { conversations } = await core.session.call(routes.conversations.list, { query })
    if (anew) await takeUpAll(core, conversations)
    for (const found of conversations) await compare(core, found)
    after = conversations.length === limits.conversationsPerPage ? conversations.at(-1)?.conversation : undefined
  } while (after)
  if (anew) await core.store.transaction(forgetBegunAnew)
}

/**
 * The same again, with back-off, for as long as the device is online: its socket may live for days after the first try failed. Rejects when
 * trying again does not help. With the next socket it is asked anew anyway.
 */
export async function findConversationsAgain(core: DeviceCore, why: unknown): Promise<void> {
  let error = why
  for (let attempt = 0; core.wire.isOnline && isPassing(error); attempt++) {
    const delay = backOff({ attempt, fraction: core.random.fraction() })
    await new Promise<void>((resolve) => core.clock.after(delay, resolve))
    if (!core.wire.isOnline) return
    try {
      return await findConversations(core)
    } catch (next) {
      error = next
    }
  }
  throw error
}

/** Who begins anew knows of nobody any more whom they had taken up; of what they are in already they are not asked again. */
async function takeUpAll(core: DeviceCore, all: readonly Found[]): Promise<void> {
  await core.store.transaction(async (writer) => {
    for (const { conversation } of all) await noteTurnedTo(writer, core, { conversation, people: [] })
  })
  core.noted()
}

async function compare(core: DeviceCore, found: Found): Promise<void> {
  if (!found.joined) {
    await stepOutIfLost(core, found)
    return mayJoin(core, found)
  }
  const cursor = await core.conversations.hold(found.conversation, async ({ state }) => state?.cursor ?? 0)
  if (found.head < cursor) await stepBackIfLost(core, found.conversation)
}

/** This account is a member and this device is not: it joins by itself, unless a Welcome comes first. */
export async function mayJoin(core: DeviceCore, { conversation, kind }: Pick<Found, 'conversation' | 'kind'>): Promise<void> {
  await core.conversations.hold(conversation, async (hold) => {
    const { state } = hold
    if (state && state.standing !== 'left' && state.standing !== 'removed') return
    const empty = emptyConversation({ conversation, kind, now: core.clock.now() })
    const joining = state ? { ...state, standing: 'joining' as const } : empty
    await hold.store({ state: joining, write: async () => undefined })
  })
  core.wake(conversation)
}
