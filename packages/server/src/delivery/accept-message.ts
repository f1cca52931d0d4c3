/**
 * Accepting a message, a proposal or a NACK: one piece of work in the shared transaction, answered after it is on stable storage.
 * The rule itself is `judgeAppend`; a commit goes the same way with more in its hands (conversations/accept-commit.ts).
 */
import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { readNack, Refusal, type BodyOf, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import { judgeAppend } from './append-rule.ts'
import type { Bytes, DeliveryWriter, NewEntry } from './delivery.store.ts'
import { kindOfSent, readClaimedHeader } from './framing-check.ts'
import type { GroupCommit } from './group-commit.ts'

export interface AcceptDeps {
  readonly groupCommit: GroupCommit
  readonly bus: Bus
  readonly clock: Clock
  readonly metrics: Pick<MessagingMetrics, 'accepted' | 'cursorWentBack'>
  /** Throws the refusal `storage_full` when the disk is nearly full. */
  assertRoom(): void
  /** The writer of the transaction that is open. */
  writer(sqlite: DatabaseSync): DeliveryWriter
}

/** Appends, or answers a repeat as before. Refuses `malformed`, `unsupported`, `not_found`, `stale_epoch`, `out_of_order`. */
export async function acceptMessage(
  deps: AcceptDeps,
  { sender, body }: { sender: DeviceId; body: BodyOf<'delivery.send'> },
): Promise<ResultOf<'delivery.send'>> {
  const { conversation, epoch, clientSeq, bytes } = body
  const kind = kindOfSent(readClaimedHeader(body))
  deps.assertRoom()
  const entry = { conversation, epoch, kind, sender, clientSeq, time: deps.clock.now(), hash: sha256(bytes), bytes }
  return appendOnce(deps, (store) => ({ entry, repeat: judge(store, entry) === 'repeat' }))
}

/**
 * Appends what a device says of a commit that it could not process. It belongs to no epoch of the device's, so it takes that
 * of the log. The signature is for the members to check, and so is the hash: the device may have been given
 * something else. Refuses `malformed` what speaks of no commit of this log.
 */
export async function acceptNack(
  deps: AcceptDeps,
  { sender, body }: { sender: DeviceId; body: BodyOf<'delivery.nack'> },
): Promise<ResultOf<'delivery.nack'>> {
  const { conversation, clientSeq, bytes } = body
  const nack = readNack(bytes)
  const isOwn = nack?.conversation === conversation && nack.device === sender && nack.clientSeq === clientSeq
  deps.assertRoom()
  const made = { conversation, kind: 'nack', sender, clientSeq, time: deps.clock.now(), hash: sha256(bytes), bytes } as const
  return appendOnce(deps, (store) => {
    const epoch = store.state(conversation, sender)?.log.epoch ?? 0
    const entry = { ...made, epoch }
    if (judge(store, entry) === 'repeat') return { entry, repeat: true }
    if (!isOwn || !store.isCommit(conversation, nack.commit)) throw new Refusal('malformed', { field: 'bytes' })
    return { entry, repeat: false }
  })
}

/** Appends what is decided in the transaction, or answers as before; rings once it is on stable storage. */
async function appendOnce(
  { groupCommit, writer, metrics, bus }: AcceptDeps,
  decide: (store: DeliveryWriter) => { readonly entry: NewEntry; readonly repeat: boolean },
): Promise<ResultOf<'delivery.send'>> {
  const { kind, conversation, ...result } = await groupCommit.submit((sqlite) => {
    const store = writer(sqlite)
    const { entry, repeat } = decide(store)
    const { seq, hash } = repeat ? answerRepeat(store, entry) : { seq: store.append(entry), hash: entry.hash }
    return { kind: entry.kind, conversation: entry.conversation, seq, hash, duplicate: repeat }
  })
  if (!result.duplicate) {
    metrics.accepted(kind)
    bus.ring({ kind: 'log', conversation, head: result.seq })
  }
  return result
}

/** SHA-256 of an entry: what acknowledges it, and what the transcript is made of. */
export const sha256 = (bytes: Uint8Array): Bytes => new Uint8Array(hash('sha256', bytes, 'buffer'))

type Submitted = Parameters<typeof judgeAppend>[1] & Pick<Parameters<DeliveryWriter['append']>[0], 'conversation' | 'sender'>

function judge(store: DeliveryWriter, submitted: Submitted): 'append' | 'repeat' {
  const state = store.state(submitted.conversation, submitted.sender)
  if (!state) throw new Refusal('not_found')
  const verdict = judgeAppend(state, submitted)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  return verdict.kind
}

/** The stored answer. Retention keeps it for a device's last entry; of an older one the counter's next value is all that can be said. */
export function answerRepeat(store: DeliveryWriter, submitted: Submitted): { seq: number; epoch: number; hash: Bytes } {
  const earlier = store.earlier(submitted)
  if (earlier) return earlier
  const state = store.state(submitted.conversation, submitted.sender)
  throw new Refusal('out_of_order', { expected: (state?.membership?.clientSeq ?? 0) + 1 })
}
