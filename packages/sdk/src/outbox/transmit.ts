/**
 * Sends what is sealed and deals with the server's answer. Accepted is not the end: the log is, where the own entry takes
 * effect in its place. An unknown outcome changes nothing; the same bytes go out again.
 */
import { equalBytes, Refusal, type ConversationId } from '@tacit/contract'
import type { Conversation } from '../conversations/conversation.store.ts'
import type { Hold } from '../conversations/held.ts'
import { completeJoin } from '../conversations/join-by-commit.ts'
import { eraseOwedNack } from '../conversations/nack.store.ts'
import { putOff, refusedForGood } from '../conversations/rotation.ts'
import type { DeviceCore } from '../device-core.ts'
import { catchUp } from '../inbox/receive.ts'
import { addItem } from '../messages/items.store.ts'
import { keepOffered } from '../rollback/rollback.store.ts'
import { awaitsOthers, stepBackIfLost } from '../rollback/step-back.ts'
import { dropSealed, eraseWaiting, failAll, failMessage, findSealed, findWaiting, settleSealed, type Sealed } from './outbox.store.ts'
import { submit, TO_THE_HEAD } from './submit.ts'

/** `sent`: the log will tell. `again`: ask for the next step. Rejects with `Unreachable` or a passing `Refusal`: try these bytes again. */
export type Outcome = 'sent' | 'again' | { readonly failed: Refusal; readonly intent: number | undefined }

export async function transmit(core: DeviceCore, sealed: Sealed): Promise<Outcome> {
  try {
    const answer = await submit(core, sealed)
    if (!equalBytes(answer.hash, sealed.hash)) return await stopTrusting(core, sealed)
    if (sealed.kind === 'join') return await enter(core, { sealed, seq: answer.seq })
    if (!answer.duplicate) return 'sent'
    await catchUp(core, sealed.conversation, answer.seq)
    return (await settlePassedOver(core, sealed, answer.seq)) ? 'again' : 'sent'
  } catch (error) {
    if (error instanceof Refusal) return answerRefusal(core, sealed, error)
    throw error
  }
}

/**
 * Accepted a while ago, at a position that this device has passed without meeting its own entry: the server keeps it no more,
 * or reading it failed. The log will not tell, so the server's answer has to do. Returns whether that was so.
 */
async function settlePassedOver(core: DeviceCore, sealed: Sealed, seq: number): Promise<boolean> {
  const { conversation, message, clientSeq } = sealed
  return core.conversations.hold(conversation, async ({ state, store }) => {
    if (!state || state.cursor < seq || !(await isStillSealed(core, sealed))) return false
    const waiting = message && (await findWaiting(core.store, message))
    await store({
      state: { ...state, clientSeq: Math.max(state.clientSeq, clientSeq) },
      write: async (writer) => {
        await keepOffered(writer, { conversation, seq, hash: sealed.hash })
        await settleSealed(writer, conversation)
        if (sealed.kind === 'nack') await eraseOwedNack(writer, conversation)
        if (!waiting) return
        const { kind, text, time } = waiting
        const own = { message: waiting.message, account: core.account }
        const item = kind === 'text' ? ({ kind: 'message', ...own, mine: true, text } as const) : ({ kind: 'silent', ...own } as const)
        await addItem(writer, { conversation, seq, time, item })
        await eraseWaiting(writer, waiting.message)
      },
    })
    return true
  })
}

async function enter(core: DeviceCore, { sealed, seq }: { sealed: Sealed; seq: number }): Promise<Outcome> {
  const { conversation } = sealed
  await core.conversations.hold(conversation, (hold) => completeJoin(core, hold, { sealed, seq }))
  core.acknowledge(conversation, await core.conversations.hold(conversation, async ({ state }) => state?.cursor ?? seq))
  core.received(conversation, [])
  // What came after the join while its fate was open was withheld.
  await catchUp(core, conversation, TO_THE_HEAD)
  return 'again'
}

async function answerRefusal(core: DeviceCore, sealed: Sealed, refusal: Refusal): Promise<Outcome> {
  const { conversation } = sealed
  if (isBehind(sealed, refusal)) {
    if (await stepBackIfLost(core, conversation)) return 'again'
    if (refusal.failure === 'stale_epoch' && (await awaitsOthers(core, conversation))) throw new Refusal('busy', { retryAfter: 1 })
  }
  if (sealed.kind === 'nack' && ['out_of_order', 'malformed'].includes(refusal.failure)) return keepQuiet(core, sealed)
  switch (refusal.failure) {
    case 'stale_epoch':
      return retreat(core, sealed, { upTo: refusal.details.head ?? TO_THE_HEAD, epoch: refusal.details.epoch })
    case 'invalid_credential':
      return retreat(core, sealed, { upTo: TO_THE_HEAD })
    case 'out_of_order':
      return retreat(core, sealed, { upTo: TO_THE_HEAD, clientSeq: refusal.details.expected })
    case 'not_found':
      return noMember(core, sealed)
    case 'rate_limited':
    case 'busy':
    case 'unavailable':
    case 'internal':
    case 'storage_full':
    case 'unauthenticated':
    case 'session_ended':
    case 'device_needed':
      throw refusal
    default:
      await core.conversations.hold(conversation, (hold) => giveUp(core, hold, { sealed, reason: refusal.failure }))
      core.release(conversation)
      return { failed: refusal, intent: sealed.intent }
  }
}

/** A server that knows less of this device or of the epochs than it once did. */
const isBehind = (sealed: Sealed, { failure, details }: Refusal): boolean =>
  (failure === 'out_of_order' && (details.expected ?? sealed.clientSeq) < sealed.clientSeq) ||
  (failure === 'stale_epoch' && (details.epoch ?? sealed.epoch) < sealed.epoch)

/** A report that is not taken must not stand in the way back. */
async function keepQuiet(core: DeviceCore, { conversation }: Sealed): Promise<Outcome> {
  await core.conversations.hold(conversation, ({ state, store }) =>
    store({
      state,
      write: async (writer) => {
        await dropSealed(writer, conversation)
        await eraseOwedNack(writer, conversation)
      },
    }),
  )
  return 'again'
}

interface ServerStand {
  readonly epoch?: number | undefined
  readonly clientSeq?: number | undefined
}

/** The server knows entries of ours that its log does not hold, or an epoch that no commit of it began. */
const isApart = ({ epoch, clientSeq }: Conversation, server: ServerStand): boolean =>
  (server.epoch ?? epoch) !== epoch || (server.clientSeq ?? clientSeq + 1) !== clientSeq + 1

/** Catches up; if the log does not hold what was sent, it is taken back to be sealed anew. */
async function retreat(core: DeviceCore, sealed: Sealed, server: ServerStand & { readonly upTo: number }): Promise<Outcome> {
  const { conversation } = sealed
  await catchUp(core, conversation, server.upTo).catch((error: unknown) => {
    // Who was never inside may read nothing of the log, and needs nothing of it to try the door again.
    if (sealed.kind !== 'join' || !(error instanceof Refusal) || error.failure !== 'not_found') throw error
  })
  const caughtUp = await core.conversations.hold(conversation, async ({ state }) => state)
  if (caughtUp && isApart(caughtUp, server) && (await stepBackIfLost(core, conversation))) return 'again'
  await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state || !(await isStillSealed(core, sealed))) return
    const { standing, rotation } = hold.state
    const lost = sealed.kind !== 'join' && standing === 'active' && isApart(hold.state, server)
    // An update that lost its race does not run again in front of the message that it held up.
    const after = isRoutine(sealed) ? { ...hold.state, rotation: putOff(rotation, core.clock.now()) } : hold.state
    await hold.store({
      state: lost ? { ...after, standing: 'paused' } : after,
      ...(lost && { group: 'none' as const }),
      write: async (writer) => {
        await dropSealed(writer, conversation)
        if (lost) await writer.run('delete from group_state where conversation = ?', [conversation])
      },
    })
  })
  core.release(conversation)
  return 'again'
}

async function isStillSealed(core: DeviceCore, sealed: Sealed): Promise<boolean> {
  const current = await findSealed(core.store, sealed.conversation)
  return current !== undefined && equalBytes(current.hash, sealed.hash)
}

/** Not a member any more: usually the log says so. */
async function noMember(core: DeviceCore, sealed: Sealed): Promise<Outcome> {
  const { conversation } = sealed
  await catchUp(core, conversation, TO_THE_HEAD).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error
  })
  await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state || !(await isStillSealed(core, sealed))) return
    const standing = sealed.kind === 'join' ? hold.state.standing : 'removed'
    await hold.store({
      state: { ...hold.state, standing },
      write: async (writer) => {
        await dropSealed(writer, conversation)
        if (standing === 'removed') await failAll(writer, { conversation, reason: 'left' })
      },
    })
  })
  core.release(conversation)
  return sealed.kind === 'join' ? { failed: new Refusal('not_found'), intent: undefined } : 'again'
}

/** A commit that nobody asked for. */
const isRoutine = ({ kind, intent }: Sealed): boolean => kind === 'commit' && intent === undefined

/** Refused for good: shown as failed, its words kept. */
async function giveUp(core: DeviceCore, hold: Hold, { sealed, reason }: { sealed: Sealed; reason: string }): Promise<void> {
  if (!hold.state) return
  const { rotation } = hold.state
  await hold.store({
    state: isRoutine(sealed) ? { ...hold.state, rotation: refusedForGood(rotation, core.clock.now()) } : hold.state,
    write: async (writer) => {
      await dropSealed(writer, hold.conversation)
      if (sealed.message) await failMessage(writer, { message: sealed.message, reason })
      if (sealed.intent !== undefined) await writer.run('delete from intent where position = ?', [sealed.intent])
    },
  })
}

/** The server accepted something else in our name, or keeps other bytes than it was given. */
async function stopTrusting(core: DeviceCore, sealed: Sealed): Promise<Outcome> {
  const conversation: ConversationId = sealed.conversation
  await core.conversations.hold(conversation, async (hold) => {
    if (!hold.state) return
    const { cursor } = hold.state
    await hold.store({
      state: { ...hold.state, standing: 'paused' },
      group: 'none',
      write: async (writer) => {
        await dropSealed(writer, conversation)
        await writer.run('delete from group_state where conversation = ?', [conversation])
        const item = { kind: 'notice', notice: { kind: 'tampering', what: 'replay' } } as const
        await addItem(writer, { conversation, seq: cursor, time: core.clock.now(), item })
      },
    })
  })
  core.release(conversation)
  return 'again'
}
