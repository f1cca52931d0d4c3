/**
 * The rule by which a log grows, as a pure function over what the transaction has read. Messages, proposals and commits
 * all go through it, so a log is a linear MLS history: one counter per sender, one epoch at a time.
 */
import type { FailureDetails, FailureName } from '@tacit/contract'

/** What the transaction knows of the sender and the log; `membership` is missing for a device that never was a member. */
export interface AppendState {
  readonly log: { readonly epoch: number; readonly head: number }
  readonly membership: { readonly active: boolean; readonly clientSeq: number } | undefined
}

export interface Submission {
  /** The epoch whose keys seal the entry. */
  readonly epoch: number
  readonly clientSeq: number
}

export type AppendVerdict =
  | { readonly kind: 'append'; readonly seq: number }
  /** The counter was used: answer from the stored entry, whatever the epoch is now. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly failure: FailureName; readonly details: FailureDetails }

/**
 * Repeat first, so that a lost answer never turns into a second message; then membership, epoch, counter.
 * A device that left still gets its old answers, and nothing else.
 */
export function judgeAppend({ log, membership }: AppendState, { epoch, clientSeq }: Submission): AppendVerdict {
  if (membership && clientSeq <= membership.clientSeq) return { kind: 'repeat' }
  if (!membership?.active) return refuse('not_found', {})
  return judgeOrder({ log, clientSeq: membership.clientSeq }, { epoch, clientSeq })
}

/** The part of the rule that also holds for a device which joins by its own commit. */
export function judgeOrder(
  { log, clientSeq }: { log: AppendState['log']; clientSeq: number },
  submission: Submission,
): Exclude<AppendVerdict, { kind: 'repeat' }> {
  if (submission.epoch !== log.epoch) return refuse('stale_epoch', { epoch: log.epoch, head: log.head })
  if (submission.clientSeq !== clientSeq + 1) return refuse('out_of_order', { expected: clientSeq + 1 })
  return { kind: 'append', seq: log.head + 1 }
}

const refuse = (failure: FailureName, details: FailureDetails) => ({ kind: 'refuse', failure, details }) as const
