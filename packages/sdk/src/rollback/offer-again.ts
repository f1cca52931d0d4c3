/**
 * Own entries that the server has lost go to it once more, byte for byte and in the order of their counters: the same
 * ciphertexts under the same counters, so no key is used twice, and whoever read them before knows them by their hash. An
 * own commit goes with its Welcome and GroupInfo and makes the same epoch again.
 *
 * Where the log went another way meanwhile that is not possible: then the messages are sealed anew under their old ids, and
 * a device whose epoch the log will never have joins anew.
 */
import { equalBytes, Refusal } from '@tacit/contract'
import { eraseGroup } from '../conversations/group.store.ts'
import type { DeviceCore } from '../device-core.ts'
import { catchUp } from '../inbox/receive.ts'
import { dropSealed, type Sealed } from '../outbox/outbox.store.ts'
import { submit, TO_THE_HEAD } from '../outbox/submit.ts'
import { isPassing } from '../trouble.ts'
import { sealAnew } from './rollback.store.ts'
import { awaitsOthers } from './step-back.ts'

/** `sent`: the log will tell. Rejects with what is worth trying again. */
export async function offerAgain(core: DeviceCore, entry: Sealed): Promise<'sent' | 'again'> {
  const { conversation } = entry
  try {
    const answer = await submit(core, entry)
    if (!equalBytes(answer.hash, entry.hash)) return await goOnWithout(core, entry, {})
    if (answer.duplicate) await catchUp(core, conversation, answer.seq)
    return 'sent'
  } catch (error) {
    if (!(error instanceof Refusal) || isPassing(error) || isOurs(error)) throw error
    const { epoch, expected } = error.details
    if (error.failure === 'stale_epoch') {
      await catchUp(core, conversation, TO_THE_HEAD)
      if ((epoch ?? 0) < entry.epoch && (await awaitsOthers(core, conversation))) throw new Refusal('busy', { retryAfter: 1 })
    }
    return goOnWithout(core, entry, { epoch, expected })
  }
}

/** What the session has to deal with. */
const isOurs = ({ failure }: Refusal): boolean => ['unauthenticated', 'session_ended', 'device_needed'].includes(failure)

/** The bytes are of no use any more. `server`: where its log stands, as far as it said. */
async function goOnWithout(
  core: DeviceCore,
  entry: Sealed,
  server: { readonly epoch?: number | undefined; readonly expected?: number | undefined },
): Promise<'again'> {
  const { conversation } = entry
  await core.conversations.hold(conversation, async ({ state, store }) => {
    if (!state) return
    const clientSeq = server.expected === undefined ? state.clientSeq : server.expected - 1
    const isHandshake = entry.kind === 'commit' || entry.kind === 'join'
    const isApart = state.standing === 'active' && (isHandshake || (server.epoch ?? state.epoch) !== state.epoch)
    await store({
      state: { ...state, clientSeq, ...(isApart && { standing: 'paused' }) },
      ...(isApart && { group: 'none' as const }),
      write: async (writer) => {
        await sealAnew(writer, conversation, Math.min(state.clientSeq, clientSeq))
        await dropSealed(writer, conversation)
        if (isApart) await eraseGroup(writer, conversation)
      },
    })
  })
  return 'again'
}
