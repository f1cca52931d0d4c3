/** What a commit changed, in words for the timeline: people who came and went, roles, devices. */
import type { AccountId, Roster } from '@tacit/contract'
import type { StoredNotice } from '../messages/items.store.ts'

export function describeChange(change: {
  readonly before: Roster
  readonly after: Roster
  readonly by: AccountId
  /** Accounts that proposed their own removal. */
  readonly leavers: ReadonlySet<AccountId>
}): readonly StoredNotice[] {
  const { before, after, by, leavers } = change
  const notices: StoredNotice[] = []
  for (const person of before.accounts) {
    if (after.accounts.includes(person)) continue
    const left = leavers.has(person) || person === by
    notices.push(left ? { kind: 'left', person } : { kind: 'removed', person, by })
  }
  for (const person of after.accounts) {
    if (!before.accounts.includes(person)) notices.push({ kind: 'joined', person, by })
    else notices.push(...describeDevices(before, after, person), ...describeRole(change, person))
  }
  return notices
}

function describeDevices(before: Roster, after: Roster, person: AccountId): readonly StoredNotice[] {
  const devicesIn = (roster: Roster) => roster.entries.filter((entry) => entry.account === person).map((entry) => entry.device)
  const [old, now] = [devicesIn(before), devicesIn(after)]
  return [
    ...now.filter((device) => !old.includes(device)).map((): StoredNotice => ({ kind: 'device_joined', person })),
    ...old.filter((device) => !now.includes(device)).map((): StoredNotice => ({ kind: 'device_removed', person })),
  ]
}

function describeRole({ before, after, by }: { before: Roster; after: Roster; by: AccountId }, person: AccountId): readonly StoredNotice[] {
  const isAdmin = (roster: Roster) => roster.entries.some((entry) => entry.account === person && entry.admin)
  if (isAdmin(before) === isAdmin(after)) return []
  return [{ kind: 'role_changed', person, role: isAdmin(after) ? 'admin' : 'member', by }]
}
