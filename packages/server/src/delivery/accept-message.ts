/**
 * Accepting a message or a proposal: one piece of work in the shared transaction, answered after it is on stable storage.
 * The rule itself is `judgeAppend`; a commit goes the same way with more in its hands (conversations/accept-commit.ts).
 */
import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { Refusal, type BodyOf, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import { judgeAppend, type AppendVerdict } from './append-rule.ts'
import type { Bytes, DeliveryWriter } from './delivery.store.ts'
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
  const result = await deps.groupCommit.submit((sqlite) => {
    const store = deps.writer(sqlite)
    const verdict = judge(store, entry)
    if (verdict.kind === 'repeat') return { ...answerRepeat(store, entry), duplicate: true }
    return { seq: store.append(entry), hash: entry.hash, duplicate: false }
  })
  if (!result.duplicate) {
    deps.metrics.accepted(kind)
    deps.bus.ring({ kind: 'log', conversation, head: result.seq })
  }
  return { seq: result.seq, hash: result.hash, duplicate: result.duplicate }
}

/** SHA-256 of an entry: what acknowledges it, and what the transcript is made of. */
export const sha256 = (bytes: Uint8Array): Bytes => new Uint8Array(hash('sha256', bytes, 'buffer'))

type Submitted = Parameters<typeof judgeAppend>[1] & Pick<Parameters<DeliveryWriter['append']>[0], 'conversation' | 'sender'>

function judge(store: DeliveryWriter, submitted: Submitted): Exclude<AppendVerdict, { kind: 'refuse' }> {
  const state = store.state(submitted.conversation, submitted.sender)
  if (!state) throw new Refusal('not_found')
  const verdict = judgeAppend(state, submitted)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  return verdict
}

/** The stored answer. Retention keeps it for a device's last entry; of an older one the counter's next value is all that can be said. */
export function answerRepeat(store: DeliveryWriter, submitted: Submitted): { seq: number; epoch: number; hash: Bytes } {
  const earlier = store.earlier(submitted)
  if (earlier) return earlier
  const state = store.state(submitted.conversation, submitted.sender)
  throw new Refusal('out_of_order', { expected: (state?.membership?.clientSeq ?? 0) + 1 })
}
