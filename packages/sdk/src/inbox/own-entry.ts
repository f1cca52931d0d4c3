/**
 * Entries of this very device: known by the hash of what was sealed, never opened. An own entry that was not sealed here
 * means that somebody sealed with our keys, or that our state went back in time: stop, and join anew.
 */
import { equalBytes, type Entry, type MessageId } from '@tacit/contract'
import { MlsError, type Group } from '@tacit/mls'
import { LeafCheck } from '../devices/authenticate-leaf.ts'
import { readBaggage } from '../conversations/baggage.ts'
import { unpackSnapshot } from '../conversations/group.store.ts'
import { judgeCommit } from '../conversations/judge.ts'
import { eraseOwedNack, eraseStranded } from '../conversations/nack.store.ts'
import { countMessage, hasPath, rotated } from '../conversations/rotation.ts'
import { eraseWaiting, findAttempt, findSealed, findWaiting, settleSealed, type Sealed } from '../outbox/outbox.store.ts'
import { keepOffered } from '../rollback/rollback.store.ts'
import { applyCommit, fulfil } from './apply-commit.ts'
import { placeContent } from './read-message.ts'
import type { Reading } from './reading.ts'

export async function readOwnEntry(reading: Reading, entry: Entry, hash: Uint8Array): Promise<void> {
  const { core, conversation } = reading
  if (reading.state.standing === 'left' || reading.state.standing === 'removed') return
  const sealed = await findSealed(core.store, conversation)
  const current = sealed && equalBytes(sealed.hash, hash) ? sealed : undefined
  const attempt = current ?? (await findAttempt(core.store, { conversation, hash }))
  if (!attempt || reading.settled) return stopHere(reading, entry)
  reading.settled = true
  reading.state = { ...reading.state, clientSeq: entry.clientSeq }
  reading.setCounter(core.device, entry.clientSeq)
  reading.write(async (writer) => {
    await keepOffered(writer, { conversation, seq: entry.seq, hash })
    await settleSealed(writer, conversation)
  })
  if (attempt.message) await placeOwnMessage(reading, entry, attempt.message)
  else if (current?.kind === 'commit') await mergeOwnCommit(reading, entry, current)
  else if (current?.kind === 'proposal') await applyOwnProposal(reading, current)
  else if (current?.kind === 'nack') reading.write((writer) => eraseOwedNack(writer, conversation))
}

async function placeOwnMessage(reading: Reading, entry: Entry, message: MessageId): Promise<void> {
  reading.state = { ...reading.state, rotation: countMessage(reading.state.rotation, { mine: true }) }
  const waiting = await findWaiting(reading.core.store, message)
  if (!waiting) return
  const { account } = reading.core
  if (!(await reading.isRepeat(message, { account, text: waiting.text }))) await placeContent(reading, { entry, payload: waiting, account })
  reading.write((writer) => eraseWaiting(writer, message))
}

/** Accepted by the server, in its place in the log: only now does it take effect (RFC 9420 section 14). */
async function mergeOwnCommit(reading: Reading, entry: Entry, sealed: Sealed): Promise<void> {
  const { engine, identity, account, clock } = reading.core
  if (!sealed.snapshot || !reading.group) return stopHere(reading, entry)
  const { bytes, slots } = unpackSnapshot(sealed.snapshot)
  const next = await engine.restore({ snapshot: bytes, slots, identity })
  const { group: after, persist, wipe } = engine.merge(reading.group, next)
  if (freshens(reading, after, sealed)) reading.state = { ...reading.state, rotation: rotated(reading.state.rotation, clock.now()) }
  await applyCommit(reading, { entry, by: account, external: false, after, persist, wipe })
  for (const device of readBaggage(sealed.baggage).added)
    reading.write((writer) => eraseStranded(writer, { conversation: reading.conversation, device }))
  fulfil(reading, sealed.intent)
}

/** Whether the own commit replaced the own keys. */
function freshens({ group }: Reading, after: Group, { baggage }: Sealed): boolean {
  const { added, removes } = readBaggage(baggage)
  const policyChanged = group === undefined || !equalBytes(group.policy, after.policy)
  return hasPath({ adds: added.length > 0, removes, policyChanged })
}

/** A proposal is not part of the group before it is in the log: one that was refused must not be in our next commit. */
async function applyOwnProposal(reading: Reading, sealed: Sealed): Promise<void> {
  const { core, group } = reading
  if (!group) return
  const check = new LeafCheck(core, { path: 'past', members: group.members })
  const judge = judgeCommit(core)
  const now = BigInt(Math.floor(core.clock.now() / 1000))
  try {
    const hooks = {
      authenticate: check.authenticate,
      judge: (judged: Parameters<typeof judge>[0]) => check.guard(() => judge(judged)),
      now,
    }
    reading.advance(await core.engine.open(group, sealed.bytes, hooks))
  } catch (error) {
    check.mustHaveJudged()
    if (!(error instanceof MlsError)) throw error
  }
}

function stopHere(reading: Reading, entry: Entry): void {
  reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'replay' } })
  reading.state = { ...reading.state, standing: 'paused', clientSeq: entry.clientSeq }
  reading.dropGroup()
}
