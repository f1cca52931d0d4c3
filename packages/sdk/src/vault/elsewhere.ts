/** What was done at one own device, on the others: how far a person has read, whether they show that they are there. */
import type { ConversationId } from '@tacit/contract'
import { loadSelf, saveSelf, type Self } from '../account/settings.ts'
import type { DeviceCore } from '../device-core.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { readOf, readPlace } from './places.ts'
import { PRESENCE } from './preferences.ts'
import type { SharedState } from './shared-state.ts'
import { valueOf } from './values.store.ts'

type Reading = Pick<DeviceCore, 'conversations' | 'store'>

/** How far this device has read in a conversation is how far its person has. */
export async function tellReading({ conversations, store }: Reading, shared: SharedState, conversation: ConversationId): Promise<void> {
  const seq = await conversations.hold(conversation, async ({ state }) => state?.readSeq ?? 0)
  if (seq > ((await readPlace(store, conversation)) ?? 0)) await shared.set('places', { [readOf(conversation)]: seq })
}

/** What was read at another own device is read, as far as it is here. */
export async function takeReading(
  { conversations }: Pick<Reading, 'conversations'>,
  { conversation, seq }: { readonly conversation: ConversationId; readonly seq: number },
): Promise<void> {
  await conversations.hold(conversation, async (hold) => {
    const { state } = hold
    const readSeq = Math.min(seq, state?.cursor ?? 0)
    if (state && readSeq > state.readSeq) await hold.store({ state: { ...state, readSeq }, write: async () => undefined })
  })
}

/** This device with the person's choice, stored; undefined when it had it. */
export async function takePresenceChoice(store: StoreDriver, self: Self): Promise<Self | undefined> {
  const sharesPresence = await valueOf(store, 'settings', PRESENCE)
  if (typeof sharesPresence !== 'boolean' || sharesPresence === self.sharesPresence) return undefined
  return store.transaction(async (writer) => {
    const changed = { ...((await loadSelf(writer)) ?? self), sharesPresence }
    await saveSelf(writer, changed)
    return changed
  })
}
