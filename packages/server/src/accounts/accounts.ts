/** The front door of accounts: finding people, and what the server must know of their settings. */
import type { AccountId } from '@tacit/contract'
import type { Bells } from '../bus/bells.ts'
import type { Database } from '../storage/database.ts'
import * as store from './accounts.store.ts'

export interface Accounts {
  /** The account with exactly this handle, in any case. Takes as long when there is none. */
  findByHandle(handle: string): Promise<AccountId | undefined>
  /** In its owner's spelling. */
  handleOf(account: AccountId): Promise<string | undefined>
  sharesPresence(account: AccountId): Promise<boolean>
  setSharesPresence(account: AccountId, shares: boolean): Promise<void>
}

/** Whether there is anybody. */
export const anyAccount = ({ kysely }: Pick<Database, 'kysely'>): Promise<boolean> => store.anyAccount(kysely)

/** The account with exactly this handle, in any case. */
export const accountCalled = ({ kysely }: Pick<Database, 'kysely'>, handle: string): Promise<AccountId | undefined> =>
  store.idByHandle(kysely, handle)

export function createAccounts({ database, bells }: { readonly database: Database; readonly bells: Bells }): Accounts {
  return {
    findByHandle: (handle) => accountCalled(database, handle),
    handleOf: async (account) => (await store.findAccount(database.kysely, account))?.handle,
    sharesPresence: async (account) => (await store.findAccount(database.kysely, account))?.shares_presence === 1,
    async setSharesPresence(account, shares) {
      await bells.write(async (tx, say) => {
        await store.setSharesPresence(tx, { account, shares })
        say({ kind: 'sharing_changed', account })
      })
    },
  }
}
