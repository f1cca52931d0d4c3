/** Accounts as people with their handles, for screens. */
import { AccountId } from '@tacit/contract'
import type { Person } from '../api.ts'
import type { Reader } from '../local-store/driver.ts'
import { id, text } from '../local-store/columns.ts'
import { nicknames } from '../vault/contacts.ts'

/** Answers for any account; one that was never looked up has no handle yet. */
export type Names = (account: AccountId) => Person

export async function loadNames(reader: Reader): Promise<Names> {
  // A name from the archive is what the person was called then; whoever this device has met is called what they are called.
  const rows = await reader.all(`select account, handle from archived_person
     union all select account, handle from contact where handle is not null
     union all select account, handle from person where handle <> ''`)
  const people = new Map(rows.map((row) => [id(row, 'account', AccountId), text(row, 'handle')]))
  const own = await nicknames(reader)
  return (account) => {
    const nickname = own.get(account)
    return { account, handle: people.get(account) ?? '', ...(nickname !== undefined && { nickname }) }
  }
}
