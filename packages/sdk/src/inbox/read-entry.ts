/**
 * Reads one entry: its place in the transcript, then what it is. A hostile or broken entry becomes a placeholder and never
 * stops the log; a commit that cannot be followed pauses the conversation until this device has joined anew.
 */
import type { Entry } from '@tacit/contract'
import { MlsError, type MembershipChange, type Opened } from '@tacit/mls'
import type { UnreadableReason } from '../api.ts'
import { judgeCommit } from '../conversations/judge.ts'
import { eraseStranded, oweNack } from '../conversations/nack.store.ts'
import { countMessage } from '../conversations/rotation.ts'
import { memberAccount } from '../conversations/roster.store.ts'
import { nextTranscript, readHandshakeData } from '../conversations/transcript.ts'
import { LeafCheck } from '../devices/authenticate-leaf.ts'
import { dateBeginning } from '../messages/items.store.ts'
import { eraseLost, moveItem, placeOffered, type LostEntry } from '../rollback/rollback.store.ts'
import { sha256 } from '../sealing.ts'
import { applyCommit } from './apply-commit.ts'
import { checkSeen } from './check-seen.ts'
import { readOwnEntry } from './own-entry.ts'
import { countSigned } from './count-signed.ts'
import { readMessage } from './read-message.ts'
import { readForeignNack } from './read-nack.ts'
import type { Reading } from './reading.ts'

/** Throws `Unreachable` when a judgement needs the server; the reading is then as before the entry. */
export async function readEntry(reading: Reading, entry: Entry): Promise<void> {
  const hash = await sha256(entry.bytes)
  const lost = await reading.takenBefore(hash)
  if (lost) takeAgain(reading, entry, { hash, lost })
  else if (entry.sender === reading.core.device) await readOwnEntry(reading, entry, hash)
  else await readForeignEntry(reading, entry)
  await moveOn(reading, entry, hash)
}

/** Passes over an entry that broke the reading of it: shown, and counted, and nothing more. */
export async function skipEntry(reading: Reading, entry: Entry): Promise<void> {
  const hash = await sha256(entry.bytes)
  await placeUnreadable(reading, entry, 'unknown')
  await moveOn(reading, entry, hash)
}

async function moveOn(reading: Reading, { seq, time }: Entry, hash: Uint8Array): Promise<void> {
  const { conversation, state } = reading
  if (state.cursor === state.begins) reading.write((writer) => dateBeginning(writer, { conversation, seq: state.begins, time }))
  const transcript = await nextTranscript({ before: reading.state.transcript, seq, hash })
  reading.state = { ...reading.state, cursor: seq, transcript }
  if (transcript.length > 0) reading.noteTranscript(seq, { transcript, entry: hash })
}

/** It was read before the server lost it: its place is new, and nothing else. */
function takeAgain(reading: Reading, { seq, time, sender, clientSeq }: Entry, { hash, lost }: { hash: Uint8Array; lost: LostEntry }): void {
  const { conversation, core } = reading
  const { message } = lost
  reading.setCounter(sender, clientSeq)
  if (sender === core.device) {
    reading.state = { ...reading.state, clientSeq }
    reading.write((writer) => placeOffered(writer, { conversation, seq, hash }))
  }
  reading.write((writer) => (message ? moveItem(writer, { conversation, seq, message, time }) : eraseLost(writer, conversation, hash)))
}

async function readForeignEntry(reading: Reading, entry: Entry): Promise<void> {
  if (reading.state.standing === 'left' || reading.state.standing === 'removed') return
  if (await readForeignNack(reading, entry)) return
  const opened = await openEntry(reading, entry)
  if (typeof opened === 'string') await placeUnreadable(reading, entry, opened)
  else await applyOpened(reading, entry, opened)
}

async function openEntry(reading: Reading, entry: Entry): Promise<Opened | UnreadableReason> {
  const { core, group } = reading
  if (!group) return 'stale_epoch'
  const check = new LeafCheck(core, { path: core.wire.isOnline ? 'live' : 'past', members: group.members })
  const judge = judgeCommit(core)
  try {
    return await core.engine.open(group, entry.bytes, {
      authenticate: check.authenticate,
      judge: (judged) => check.guard(() => judge(judged)),
      now: BigInt(Math.floor(core.clock.now() / 1000)),
    })
  } catch (error) {
    check.mustHaveJudged()
    return error instanceof MlsError ? reasonOf(error) : 'unknown'
  }
}

async function applyOpened(reading: Reading, entry: Entry, opened: Opened): Promise<void> {
  const sender = await reading.core.certificates.read(opened.sender.credential)
  if (opened.kind === 'message') {
    reading.advance(opened)
    reading.state = { ...reading.state, rotation: countMessage(reading.state.rotation, { mine: false }) }
    return readMessage(reading, { entry, sender, payload: opened.payload })
  }
  const data = readHandshakeData(opened.authenticatedData)
  if (data) await checkSeen(reading, { entry, seen: data.seen })
  if (sender && data) await countSigned(reading, entry, { device: sender.device, clientSeq: data.clientSeq })
  else await reading.countUnopened(entry.sender)
  if (opened.kind === 'proposal') return reading.advance(opened)
  const { external, group: after, persist, wipe } = opened
  await applyCommit(reading, { entry, by: sender?.account, external, after, persist, wipe })
  await forgetStranded(reading, opened.changes)
}

/** Whoever is removed or added again is stranded no more. */
async function forgetStranded(reading: Reading, changes: readonly MembershipChange[]): Promise<void> {
  const { core, conversation } = reading
  for (const change of changes) {
    const certificate = change.kind === 'updated' ? undefined : await core.certificates.read(change.member.credential)
    if (certificate) reading.write((writer) => eraseStranded(writer, { conversation, device: certificate.device }))
  }
}

/** Only a commit is more than itself: without it there is no way on. */
async function placeUnreadable(reading: Reading, entry: Entry, reason: UnreadableReason): Promise<void> {
  const { state } = reading
  if (reason !== 'policy' && state.standing === 'active') reading.suspicious = true
  await reading.countUnopened(entry.sender)
  const isTold = entry.kind === 'message' || (entry.kind !== 'proposal' && state.standing !== 'paused')
  const account = await memberAccount(reading.core.store, { conversation: state.conversation, device: entry.sender })
  if (isTold) reading.addItem(entry, { kind: 'unreadable', reason, account })
  if (entry.kind !== 'commit') return
  // The first that could not be processed: those after it could not either.
  if (state.standing === 'active') {
    const owed = { conversation: state.conversation, seq: entry.seq, hash: await sha256(entry.bytes) }
    reading.write((writer) => oweNack(writer, owed))
  }
  // What the rules forbid is not made right by joining again on its terms: such a conversation stays where it is.
  reading.state = { ...state, standing: 'paused', stuck: state.stuck || reason === 'policy' }
  reading.dropGroup()
}

function reasonOf(error: MlsError): UnreadableReason {
  switch (error.reason) {
    case 'malformed':
    case 'unsupported':
    case 'auth_failed':
    case 'policy':
    case 'duplicate':
    case 'stale_epoch':
      return error.reason
    case 'invalid':
    case 'too_large':
      return 'malformed'
    case 'usage':
    case 'future_epoch':
    case 'unknown_group':
    case 'too_far':
      return 'unknown'
  }
}
