/** A commit takes effect: the group of the next epoch, its roster, what the timeline tells of it, and the key of its signals. */
import { type AccountId, type Entry, type Roster, rosterOf } from '@tacit/contract'
import type { Group, Persist, Wipe } from '@tacit/mls'
import { eraseIntent } from '../conversations/intent.store.ts'
import { describeChange } from '../conversations/describe-change.ts'
import { saveRoster } from '../conversations/roster.store.ts'
import { failAll } from '../outbox/outbox.store.ts'
import { epochSignalSecret, saveSignalSecret } from '../signals/signal-keys.ts'
import type { Reading } from './reading.ts'

export interface AppliedCommit {
  readonly entry: Entry
  /** The committer's account. */
  readonly by: AccountId | undefined
  readonly external: boolean
  readonly after: Group
  readonly persist: Persist
  readonly wipe: Wipe
}

export async function applyCommit(reading: Reading, commit: AppliedCommit): Promise<void> {
  const { core, group } = reading
  if (!group) return
  const { entry, after, persist, wipe } = commit
  const before = await rosterOf(group, core.certificates)
  const roster = await rosterOf(after, core.certificates)
  const leavers = await leaversOf(reading, group)
  const by = commit.by ?? core.account
  for (const notice of describeChange({ before, after: roster, by, leavers })) reading.addItem(entry, { kind: 'notice', notice })
  reading.write((writer) => saveRoster(writer, { conversation: reading.conversation, roster }))
  reading.state = { ...reading.state, epoch: Number(after.epoch), titleOwed: owesTitle(reading, { before, roster, entry }) }
  if (!after.active) return endMembership(reading, leavers.has(core.account))
  reading.advance({ group: after, persist, wipe })
  const signal = { conversation: reading.conversation, epoch: Number(after.epoch), secret: await epochSignalSecret(core.engine, after) }
  reading.write((writer) => saveSignalSecret(writer, signal))
}

/** Accounts whose own removal waits in the group: they asked to leave. */
async function leaversOf({ core }: Reading, group: Group): Promise<ReadonlySet<AccountId>> {
  const leavers = new Set<AccountId>()
  for (const { by, removes } of group.pendingProposals) {
    const target = group.members.find((member) => member.leafIndex === removes)
    const [proposer, leaver] = [await core.certificates.read(by.credential), target && (await core.certificates.read(target.credential))]
    if (proposer && proposer.account === leaver?.account) leavers.add(leaver.account)
  }
  return leavers
}

/** A group's title is no part of the group: whoever joins has to be told by a member. */
function owesTitle({ state }: Reading, { before, roster, entry }: { before: Roster; roster: Roster; entry: Entry }): number {
  const known = new Set(before.entries.map((member) => member.device))
  const someoneJoined = roster.entries.some((member) => !known.has(member.device))
  return someoneJoined && state.kind === 'group' && state.title !== '' ? entry.seq : state.titleOwed
}

function endMembership(reading: Reading, left: boolean): void {
  const { conversation } = reading
  reading.state = { ...reading.state, standing: left ? 'left' : 'removed' }
  reading.dropGroup()
  reading.write(async (writer) => {
    await failAll(writer, { conversation, reason: 'left' })
    for (const table of ['sealed', 'attempt', 'intent', 'signal_key'])
      await writer.run(`delete from ${table} where conversation = ?`, [conversation])
  })
}

/** A commit of this device: whatever wanted it is fulfilled. */
export function fulfil(reading: Reading, intent: number | undefined): void {
  if (intent === undefined) return
  reading.write((writer) => eraseIntent(writer, intent))
  reading.fulfilled.push(intent)
}
