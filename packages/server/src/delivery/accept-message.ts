/**
 * Accepting a message or a proposal: checked, hashed, dated, handed to the store, answered after it is on stable storage.
 * The rule itself is append-rule.ts; a commit and a NACK go the same way with more in their hands (conversations/accept-commit.ts, accept-nack.ts).
 */
import { hash } from 'node:crypto'
import type { BodyOf, DeviceId, ResultOf } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import type { Appended, Bytes, DeliveryStore, NewEntry } from './delivery.store.ts'
import { kindOfSent, readClaimedHeader } from './framing-check.ts'
import type { Recent } from './recent.ts'

/** Judges a proposal and appends it; a message is sealed, so only its framing can be judged. */
export type AcceptProposal = (proposal: { readonly sender: DeviceId; readonly body: BodyOf<'delivery.send'> }) => Promise<Appended>

export interface AcceptDeps {
  readonly store: Pick<DeliveryStore, 'append'>
  readonly bus: Bus
  readonly clock: Clock
  readonly metrics: Pick<MessagingMetrics, 'accepted'>
  /** Throws the refusal `storage_full` when the disk is nearly full. */
  assertRoom(): void
}

/**
 * Appends, or answers a repeat as before. Refuses `malformed`, `unsupported`, `not_found`, `stale_epoch`, `out_of_order`; a proposal also as `acceptProposal` does.
 * Not async, as what comes with every message: what it keeps until the commit would be several times as much.
 */
export function acceptMessage(
  deps: AcceptDeps & { readonly acceptProposal: AcceptProposal; readonly recent: Pick<Recent, 'add'> },
  { sender, body }: { sender: DeviceId; body: BodyOf<'delivery.send'> },
): Promise<ResultOf<'delivery.send'>> {
  const { conversation, epoch, clientSeq, bytes } = body
  const kind = kindOfSent(readClaimedHeader(body))
  if (kind === 'proposal') return deps.acceptProposal({ sender, body })
  deps.assertRoom()
  const entry = { conversation, epoch, kind, sender, clientSeq, time: deps.clock.now(), hash: sha256(bytes), bytes }
  return deps.store.append(entry).then((appended) => {
    if (!appended.duplicate) deps.recent.add(entry, appended.seq)
    announceAppended(deps, entry, appended)
    return appended
  })
}

/**
 * After it is on stable storage: counts what is new, and rings. For a repeat too: whoever did not hear the answer may have
 * asked a server whose database connection ended behind the COMMIT (F-09), and then nobody rang.
 */
export function announceAppended(
  { metrics, bus }: Pick<AcceptDeps, 'metrics' | 'bus'>,
  { kind, conversation }: Pick<NewEntry, 'kind' | 'conversation'>,
  { seq, duplicate }: Appended,
): void {
  if (!duplicate) metrics.accepted(kind)
  bus.ring({ kind: 'log', conversation, head: seq })
}

/** SHA-256 of an entry: what acknowledges it, and what the transcript is made of. */
export function sha256(bytes: Uint8Array): Bytes {
  // Through text, because the engine's way to bytes makes an allocation of their own for them.
  const digest = Buffer.from(hash('sha256', bytes, 'hex'), 'hex')
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}
