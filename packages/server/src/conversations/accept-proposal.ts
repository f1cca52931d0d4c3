/**
 * Accepting a proposal: verified first, then appended to the log and kept for the commit that will name it. It takes its turn
 * with the commits of the conversation, so that it is judged in the group that it enters.
 */
import { Refusal, type DeviceId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import { announceAppended, sha256, type AcceptProposal } from '../delivery/accept-message.ts'
import { judgeAppend } from '../delivery/append-rule.ts'
import { ledger } from '../delivery/delivery.ts'
import type { Appended, NewEntry, Place } from '../delivery/delivery.store.ts'
import type { Tables } from '../storage/tables.ts'
import type { AcceptCommitDeps } from './accept-commit.ts'
import * as store from './groups.store.ts'
import { verifyProposal } from './verify-proposal.ts'

type Deps = Pick<AcceptCommitDeps, 'database' | 'clock' | 'bus' | 'metrics' | 'court' | 'groups' | 'inOrder' | 'assertRoom'>
type Proposal = Parameters<AcceptProposal>[0]

/** Refuses as a message is refused, and `invalid_handshake`, `invalid_credential`, `not_allowed`, `too_large`. */
export function acceptProposal(deps: Deps, { sender, body }: Proposal): Promise<Appended> {
  const { conversation, epoch, clientSeq, bytes } = body
  deps.assertRoom()
  return deps.inOrder.run(conversation, async () => {
    const verified = await verifyIfNew(deps, { sender, body })
    const said = { conversation, epoch, kind: 'proposal', sender, clientSeq } as const
    const entry = { ...said, time: deps.clock.now(), hash: sha256(bytes), bytes }
    const appended = await deps.database.write((tx) => appendIn(tx, entry, verified))
    deps.database.acknowledged({ conversation, seq: appended.seq })
    announceAppended(deps, entry, appended)
    return appended
  })
}

/** Whether it holds; false for what the transaction will refuse, or answer as before, without looking at it. */
async function verifyIfNew({ database, groups, court }: Deps, { sender, body }: Proposal): Promise<boolean> {
  const { conversation, bytes } = body
  const place = await ledger.placeOf(database.kysely, { conversation, device: sender })
  if (!place || judgeAppend(stateOf(place), body).kind !== 'append') return false
  const group = await groups.at(conversation)
  if (!group) throw new Refusal('unsupported', { field: 'conversation' })
  await verifyProposal(court, { group, sender: { account: place.account, device: sender }, bytes })
  return true
}

const stateOf = ({ epoch, head, toSeq, clientSeq }: Place) => ({
  log: { epoch, head },
  membership: { active: toSeq === null, clientSeq },
})

async function appendIn(tx: Transaction<Tables>, entry: NewEntry & { readonly sender: DeviceId }, verified: boolean): Promise<Appended> {
  const { conversation, sender, bytes } = entry
  const state = await ledger.lockedState(tx, { conversation, device: sender })
  if (!state) throw new Refusal('not_found')
  const verdict = judgeAppend(state, entry)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  if (verdict.kind === 'repeat') {
    const { seq, hash } = await ledger.earlier(tx, entry)
    return { seq, hash, duplicate: true }
  }
  // Something came in between, and what was out of place when it was looked at is in place now.
  if (!verified) throw new Refusal('unavailable', { retryAfter: 1 })
  const seq = await ledger.append(tx, entry)
  await store.addProposal(tx, { conversation, seq, bytes })
  return { seq, hash: entry.hash, duplicate: false }
}
