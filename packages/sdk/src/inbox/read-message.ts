/** An application message that opened: what it says, and whether its sender's counter and view of the log fit ours. */
import { ConversationId, type DeviceCertificate, type Entry } from '@tacit/contract'
import { readPayload, type Payload } from '../messages/payload.ts'
import { isForgotten } from '../archive/archive.store.ts'
import { tellContinuation } from '../messages/continuation.ts'
import { checkSeen } from './check-seen.ts'
import { addHeard } from '../transparency/key-log.store.ts'
import { placeOf } from './count-signed.ts'
import { isAccepted, noteTurnedTo, settleAdmission } from '../requests/admission.ts'
import { moveItem } from '../rollback/rollback.store.ts'
import type { Reading } from './reading.ts'

export async function readMessage(
  reading: Reading,
  { entry, sender, payload }: { entry: Entry; sender: DeviceCertificate | undefined; payload: Uint8Array },
): Promise<void> {
  const account = sender?.account
  const read = readPayload(payload)
  if (!sender || read.kind !== 'payload') {
    if (read.kind === 'unsupported' && sender) reading.setCounter(sender.device, read.clientSeq)
    else await reading.countUnopened(sender?.device ?? entry.sender)
    const reason = read.kind === 'unsupported' ? 'unsupported' : 'malformed'
    return reading.addItem(entry, { kind: 'unreadable', reason, account })
  }
  const { message, clientSeq, seen } = read.payload
  if (await reading.wasLost(message)) return placeAgain(reading, { entry, message, sender: sender.device, clientSeq })
  const place = placeOf(clientSeq, await reading.counterOf(sender.device))
  if (place === 'repeat' || (await reading.isRepeat(message, { account: sender.account, text: read.payload.text }))) {
    reading.addItem(entry, { kind: 'unreadable', reason: 'duplicate', account })
    return reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'replay' } })
  }
  if (place === 'gap') reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'gap' } })
  await checkSeen(reading, { entry, seen })
  reading.setCounter(sender.device, clientSeq)
  const { head } = read.payload
  if (head) reading.hear((writer) => addHeard(writer, { conversation: reading.conversation, account: sender.account, head }))
  await placeContent(reading, { entry, payload: read.payload, account: sender.account })
}

/** Read before the server lost it, and sealed anew by its sender: everybody has it here now. */
function placeAgain(
  reading: Reading,
  {
    entry,
    message,
    sender,
    clientSeq,
  }: { entry: Entry; message: Payload['message']; sender: DeviceCertificate['device']; clientSeq: number },
): void {
  const { conversation } = reading
  reading.setCounter(sender, clientSeq)
  reading.write((writer) => moveItem(writer, { conversation, seq: entry.seq, message, time: entry.time }))
}

/** Puts a message that is new and sound into the timeline; also an own one, from the outbox. */
export async function placeContent(
  reading: Reading,
  { entry, payload, account }: { entry: Entry; payload: Pick<Payload, 'kind' | 'message' | 'text'>; account: DeviceCertificate['account'] },
): Promise<void> {
  const { message, text } = payload
  const mine = account === reading.core.account
  if (payload.kind === 'title') return placeTitle(reading, { entry, payload, account })
  if (payload.kind === 'continues') return placeContinuation(reading, { entry, payload, account })
  reading.addItem(entry, { kind: 'message', message, account, mine, text })
  // Deleted by its person at another device, before it came here: nobody hears of it.
  if (await isForgotten(reading.core.store, reading.conversation, message)) return
  reading.arrivals.push({ conversation: reading.conversation, message, account, mine, text, time: entry.time, seq: entry.seq })
  reading.state = { ...reading.state, activity: entry.time }
}

/** A title is said again for those who came later; only a new one is news. */
function placeTitle(
  reading: Reading,
  { entry, payload, account }: { entry: Entry; payload: Pick<Payload, 'message' | 'text'>; account: DeviceCertificate['account'] },
): void {
  const { state } = reading
  reading.addItem(entry, { kind: 'silent', message: payload.message, account })
  const isNews = payload.text !== state.title
  // The first title belongs to the group's creation or to the own joining: nothing was renamed.
  if (isNews && state.title !== '')
    reading.addItem(entry, { kind: 'notice', notice: { kind: 'renamed', title: payload.text, by: account } })
  reading.state = { ...state, title: payload.text, titleOwed: 0, ...(isNews && { activity: entry.time }) }
}

/** A member's word that this goes on from another conversation, told in both: in the other only if that member was in it. */
function placeContinuation(
  reading: Reading,
  { entry, payload, account: by }: { entry: Entry; payload: Pick<Payload, 'message' | 'text'>; account: DeviceCertificate['account'] },
): void {
  reading.addItem(entry, { kind: 'silent', message: payload.message, account: by })
  const before = ConversationId.safeParse(payload.text).data
  if (!before || before === reading.conversation) return
  reading.addItem(entry, { kind: 'notice', notice: { kind: 'continues', by, conversation: before } })
  reading.besides.push(before)
  const { core, conversation: next } = reading
  reading.write(async (writer) => {
    const isMember = await tellContinuation(writer, { before, by, next, time: entry.time })
    // Who wants the one wants the other.
    if (!isMember || !(await isAccepted(writer, before))) return
    await noteTurnedTo(writer, core, { conversation: next, people: [] })
    await settleAdmission(writer, next)
  })
}
