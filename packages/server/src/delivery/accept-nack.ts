/**
 * Accepting a NACK: what a device says of a commit that it could not process. It belongs to no epoch of the device's, so it
 * takes that of the log, and must be looked at under the log's lock.
 */
import { readNack, Refusal, type BodyOf, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Database } from '../storage/database.ts'
import { announceAppended, sha256, type AcceptDeps } from './accept-message.ts'
import { judgeAppend } from './append-rule.ts'
import type { Appended } from './delivery.store.ts'
import * as ledger from './ledger.store.ts'

export interface AcceptNackDeps extends Omit<AcceptDeps, 'store'> {
  readonly database: Database
}

/**
 * Appends, or answers a repeat as before. The signature is for the members to check, and so is the hash: the device may
 * have been given something else. Refuses `malformed` what speaks of no commit of this log.
 */
export async function acceptNack(
  deps: AcceptNackDeps,
  { sender, body }: { sender: DeviceId; body: BodyOf<'delivery.nack'> },
): Promise<ResultOf<'delivery.nack'>> {
  const { conversation, clientSeq, bytes } = body
  const nack = readNack(bytes)
  const isOwn = nack?.conversation === conversation && nack.device === sender && nack.clientSeq === clientSeq
  deps.assertRoom()
  const made = { conversation, kind: 'nack', sender, clientSeq, time: deps.clock.now(), hash: sha256(bytes), bytes } as const
  const appended = await deps.database.write(async (tx): Promise<Appended> => {
    const state = await ledger.lockedState(tx, { conversation, device: sender })
    if (!state) throw new Refusal('not_found')
    const entry = { ...made, epoch: state.log.epoch }
    const verdict = judgeAppend(state, entry)
    if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
    if (verdict.kind === 'repeat') {
      const { seq, hash } = await ledger.earlier(tx, entry)
      return { seq, hash, duplicate: true }
    }
    if (!isOwn || !(await ledger.isCommit(tx, conversation, nack.commit))) throw new Refusal('malformed', { field: 'bytes' })
    return { seq: await ledger.append(tx, entry), hash: entry.hash, duplicate: false }
  })
  deps.database.acknowledged({ conversation, seq: appended.seq })
  announceAppended(deps, made, appended)
  return appended
}
