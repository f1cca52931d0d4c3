/** The verbs of somebody who is signed in. They throw what they meet; the front door makes `MessengerError`s of it. */
import { routes, type AccountId, type ConversationId } from '@tacit/contract'
import { historyVerbs } from './archive/history-verbs.ts'
import { MessengerError, type Person, type SessionInfo, type Verbs } from './api.ts'
import { saveSelf, type Self } from './account/settings.ts'
import { addIntent, hasIntent, type Intent } from './conversations/intent.store.ts'
import { findDirect, type Conversation } from './conversations/conversation.store.ts'
import { createConversation } from './conversations/create.ts'
import { loadRoster } from './conversations/roster.store.ts'
import type { Device } from './device.ts'
import { findPinByHandle } from './devices/people.store.ts'
import type { KnownPerson } from './devices/people.ts'
import { byteLength, LONGEST_TITLE } from './messages/payload.ts'
import { ownDeviceVerbs } from './own-device-verbs.ts'
import { trustVerbs } from './trust-verbs.ts'
import { LEFT, metOf, talkOf } from './requests/admission.ts'
import { requestVerbs, takeUp } from './requests/request-verbs.ts'
import { PRESENCE } from './vault/preferences.ts'
import { sharedVerbs } from './vault/shared-verbs.ts'
import { unlockVerbs } from './vault/unlock-verbs.ts'
import { Unreachable } from './trouble.ts'

export interface SignedIn {
  readonly device: Device
  self: Self
  /** The account's own settings changed. */
  readonly selfChanged: (self: Self) => void
}

type ConversationVerbs = Omit<
  Verbs,
  | 'signUp'
  | 'signIn'
  | 'signOut'
  | 'beginPasskeySignUp'
  | 'finishPasskeySignUp'
  | 'beginPasskeySignIn'
  | 'finishPasskeySignIn'
  | 'beginLinking'
  | 'claimLink'
  | 'approveLink'
  | 'cancelLinking'
  | 'signInWithKit'
  | 'enterRecoveryCode'
  | 'resetAccount'
  | 'beginAddPasskey'
  | 'finishAddPasskey'
  | 'loadEarlier'
>

/** How long a change of a conversation may take before the person hears that it will happen later, in milliseconds. */
const PATIENCE = 30_000

/** `signedIn` rejects with `not_signed_in` when nobody is. */
export function conversationVerbs(signedIn: () => SignedIn): ConversationVerbs {
  const settle: ConversationVerbs['settle'] = ({ within: longest, only }) => {
    const { device } = signedIn()
    return only === 'archive' ? device.archive.finish(longest) : device.settle(longest)
  }
  return {
    settle,
    ...peopleVerbs(signedIn),
    ...membershipVerbs(signedIn),
    ...messageVerbs(signedIn),
    ...accountVerbs(signedIn),
    ...ownDeviceVerbs(signedIn),
    ...trustVerbs(signedIn),
    ...unlockVerbs(signedIn),
    ...historyVerbs(signedIn),
    ...sharedVerbs(signedIn),
    ...requestVerbs(() => signedIn().device),
  }
}

function peopleVerbs(signedIn: () => SignedIn): Pick<ConversationVerbs, 'findPerson' | 'startDirect' | 'createGroup' | 'startAnew'> {
  return {
    async findPerson({ handle }) {
      const person = await signedIn().device.core.people.lookUp(handle.trim())
      return person && asPerson(person)
    },
    async startDirect({ handle }) {
      const { device } = signedIn()
      const { core } = device
      const pinned = await findPinByHandle(core.store, handle.trim())
      const known = pinned && (await findDirect(core.store, pinned.account))
      if (known) return withPeer(device, known)
      const person = await mustFind(device, handle)
      if (person.pin.account === core.account) throw new MessengerError('not_allowed', 'This is your own handle.')
      const existing = await findDirect(core.store, person.pin.account)
      if (existing) return withPeer(device, existing)
      return openNew(device, { kind: 'direct', people: [person.pin.account], title: '' })
    },
    async createGroup({ title, handles }) {
      const { device } = signedIn()
      mustBeTitle(title)
      const people = await Promise.all(handles.map((handle) => mustFind(device, handle)))
      const accounts = people.map(({ pin }) => pin.account).filter((account) => account !== device.core.account)
      return openNew(device, { kind: 'group', people: [...new Set(accounts)], title: title.trim() })
    },
    startAnew: (request) => startAnew(signedIn().device, request),
  }
}

/** A direct conversation in which the other person never arrived (there was no device to add) is completed when it is opened again. */
async function withPeer(device: Device, { conversation, peer, standing }: Conversation): Promise<ConversationId> {
  const { store } = device.core
  // Who looks for somebody wants to talk to them.
  await takeUp(device, conversation)
  const isThere = (await loadRoster(store, conversation)).some((entry) => entry.account === peer)
  if (peer && !isThere && standing === 'active' && !(await hasIntent(store, { conversation, kind: 'add' })))
    await pursue(device, conversation, { kind: 'add', accounts: [peer] })
  return conversation
}

/** The stuck one is left as it is: nobody could follow a commit that ends it. */
async function startAnew(
  device: Device,
  { conversation, people }: { readonly conversation: ConversationId; readonly people: readonly AccountId[] },
): Promise<ConversationId> {
  const { store, account } = device.core
  const { state, title } = await device.core.conversations.hold(conversation, async ({ state }) => ({ state, title: state?.title ?? '' }))
  if (!state) throw new MessengerError('not_found', 'There is no such conversation.')
  if (state.kind !== 'group' || state.standing !== 'paused' || !state.stuck)
    throw new MessengerError('not_allowed', 'This is possible in a group that is stuck.')
  const members = new Set((await loadRoster(store, conversation)).map((entry) => entry.account))
  if (people.some((one) => !members.has(one))) throw new MessengerError('not_allowed', 'Only who was in the group can be taken along.')
  const others = []
  for (const one of new Set(people)) {
    // Whoever has no device left can be added when they are back.
    const isThere = one !== account && ((await device.core.people.refresh(one))?.devices.length ?? 0) > 0
    if (isThere) others.push(one)
  }
  return openNew(device, { kind: 'group', people: others, title, continues: conversation })
}

async function openNew(device: Device, wanted: Parameters<typeof createConversation>[1]): Promise<ConversationId> {
  const created = await createConversation(device.core, wanted)
  const decided = [device.decisions.of(created.create), device.decisions.of(created.add)] as const
  // One may fail while the other is waited for.
  for (const decision of decided) decision.catch(() => undefined)
  device.core.wake(created.conversation)
  const existing = await within(device, decided[0])
  if (existing) return existing
  await within(device, decided[1])
  return created.conversation
}

function membershipVerbs(
  signedIn: () => SignedIn,
): Pick<ConversationVerbs, 'addPeople' | 'removePerson' | 'setRole' | 'rename' | 'rotateKeys' | 'leave'> {
  return {
    async addPeople({ conversation, handles }) {
      const { device } = signedIn()
      await mustBeActiveGroup(device, conversation)
      const people = await Promise.all(handles.map((handle) => mustFind(device, handle)))
      const accounts = people.map(({ pin }) => pin.account)
      await device.shared.set('people', Object.fromEntries(accounts.map((account) => [metOf(account), true])))
      await pursue(device, conversation, { kind: 'add', accounts })
    },
    async removePerson({ conversation, account }) {
      const { device } = signedIn()
      await mustBeActiveGroup(device, conversation)
      await mustBeAdmin(device, conversation)
      await pursue(device, conversation, { kind: 'remove', account })
    },
    async setRole({ conversation, account, role }) {
      const { device } = signedIn()
      await mustBeActiveGroup(device, conversation)
      await mustBeAdmin(device, conversation)
      await pursue(device, conversation, { kind: 'role', account, role })
    },
    async rename({ conversation, title }) {
      const { device } = signedIn()
      mustBeTitle(title)
      await mustBeActiveGroup(device, conversation)
      await takeUp(device, conversation)
      await device.outbox.queue({ conversation, kind: 'title', text: title.trim() })
    },
    async rotateKeys({ conversation }) {
      const { device } = signedIn()
      const state = await device.core.conversations.hold(conversation, async (hold) => hold.state)
      if (!state) throw new MessengerError('not_found', 'There is no such conversation.')
      if (state.standing !== 'active') throw new MessengerError('not_allowed', 'This is possible in a conversation you are in.')
      await pursue(device, conversation, { kind: 'rotate', before: state.rotation.updated })
    },
    async leave({ conversation }) {
      const { device } = signedIn()
      await mustBeActiveGroup(device, conversation)
      await wish(device, conversation, { kind: 'leave' })
      await device.shared.set('people', { [talkOf(conversation)]: LEFT })
      device.core.wake(conversation)
    },
  }
}

function messageVerbs(signedIn: () => SignedIn): Pick<ConversationVerbs, 'send' | 'retry' | 'discard' | 'markRead' | 'setTyping'> {
  return {
    async send({ conversation, text, message: known }) {
      const { device } = signedIn()
      const message = await device.outbox.queue({ conversation, kind: 'text', text, message: known })
      await takeUp(device, conversation)
      device.signals.typing.sent(conversation)
      return message
    },
    retry: ({ message }) => signedIn().device.outbox.retry(message),
    discard: ({ message }) => signedIn().device.outbox.discard(message),
    async markRead({ conversation, seq }) {
      const { device } = signedIn()
      await device.core.conversations.hold(conversation, async (hold) => {
        const { state } = hold
        const readSeq = Math.min(seq, state?.cursor ?? 0)
        if (state && readSeq > state.readSeq) await hold.store({ state: { ...state, readSeq }, write: async () => undefined })
      })
      device.signals.receipts.schedule(conversation)
      await device.readHere(conversation)
    },
    setTyping: ({ conversation, typing }) => signedIn().device.signals.typing.say(conversation, typing),
  }
}

function accountVerbs(signedIn: () => SignedIn): Pick<ConversationVerbs, 'setPresenceSharing' | 'sessions' | 'revokeSession'> {
  return {
    async setPresenceSharing({ on }) {
      const { device, selfChanged } = signedIn()
      const { sharesPresence } = await device.core.session.call(routes.accounts.changeMe, { body: { sharesPresence: on } })
      await device.shared.set('settings', { [PRESENCE]: sharesPresence })
      const changed = { ...signedIn().self, sharesPresence }
      await device.core.store.transaction((writer) => saveSelf(writer, changed))
      selfChanged(changed)
    },
    async sessions() {
      const { sessions } = await signedIn().device.core.session.call(routes.sessions.list, {})
      return sessions.map((session): SessionInfo => ({
        ...session,
        createdAt: Date.parse(session.createdAt),
        lastUsedAt: Date.parse(session.lastUsedAt),
      }))
    },
    async revokeSession({ session }) {
      await signedIn().device.core.session.call(routes.sessions.revoke, { params: { session } })
    },
  }
}

const asPerson = ({ pin }: KnownPerson): Person => ({ account: pin.account, handle: pin.handle })

async function mustFind(device: Device, handle: string): Promise<KnownPerson> {
  const person = await device.core.people.lookUp(handle.trim())
  if (!person) throw new MessengerError('not_found', `There is nobody called ${handle.trim().slice(0, 64)}.`)
  return person
}

function mustBeTitle(title: string): void {
  const length = byteLength(title.trim())
  if (length === 0 || length > LONGEST_TITLE) throw new MessengerError('too_large', `A title has 1 to ${LONGEST_TITLE} bytes.`)
}

async function mustBeActiveGroup(device: Device, conversation: ConversationId): Promise<void> {
  const state = await device.core.conversations.hold(conversation, async (hold) => hold.state)
  if (!state) throw new MessengerError('not_found', 'There is no such conversation.')
  if (state.kind !== 'group' || state.standing !== 'active')
    throw new MessengerError('not_allowed', 'This is possible in a group you are in.')
}

async function mustBeAdmin(device: Device, conversation: ConversationId): Promise<void> {
  const roster = await loadRoster(device.core.store, conversation)
  const me: AccountId = device.core.account
  if (!roster.some((entry) => entry.account === me && entry.admin)) throw new MessengerError('not_allowed', 'Only an admin can do this.')
}

/** Stores what shall be true; it is pursued until it is, also after a restart. */
async function wish(device: Device, conversation: ConversationId, intent: Intent): Promise<number> {
  return device.core.conversations.hold(conversation, async (hold) => {
    let position = 0
    await hold.store({
      state: hold.state,
      write: async (writer) => {
        position = await addIntent(writer, { conversation, intent, now: device.core.clock.now() })
      },
    })
    return position
  })
}

/** A change that the others see. */
async function pursue(device: Device, conversation: ConversationId, intent: Intent): Promise<void> {
  await takeUp(device, conversation)
  const decision = device.decisions.of(await wish(device, conversation, intent))
  device.removals.asked()
  device.core.wake(conversation)
  await within(device, decision)
}

/** Waits for a decision, but not for ever: what is stored goes on without anybody waiting. */
async function within<T>(device: Device, decision: Promise<T>): Promise<T> {
  let stop = () => {}
  const late = new Promise<never>((_, reject) => {
    stop = device.core.clock.after(PATIENCE, () => reject(new Unreachable('not decided in time')))
  })
  try {
    return await Promise.race([decision, late])
  } finally {
    stop()
  }
}
