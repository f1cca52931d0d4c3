/** The front door of accounts: finding people, and what the server must know of their settings. */
import type { AccountId } from '@tacit/contract'
import type { Database } from '../storage/database.ts'
import * as store from './accounts.store.ts'

export interface Accounts {
  /** The account with exactly this handle, in any case. Takes as long when there is none. */
  findByHandle(handle: string): Promise<AccountId | undefined>
  /** In its owner's spelling. */
  handleOf(account: AccountId): Promise<string | undefined>
  sharesPresence(account: AccountId): Promise<boolean>
  setSharesPresence(account: AccountId, shares: boolean): Promise<void>
  /** Calls `listener` after somebody changed it; returns the way to stop. */
  onSharesPresence(listener: (change: { account: AccountId; shares: boolean }) => void): () => void
  any(): Promise<boolean>
}

export function createAccounts({ database }: { database: Database }): Accounts {
  const listeners = new Set<(change: { account: AccountId; shares: boolean }) => void>()
  return {
    findByHandle: (handle) => store.idByHandle(database.kysely, handle),
    handleOf: async (account) => (await store.findAccount(database.kysely, account))?.handle,
    sharesPresence: async (account) => (await store.findAccount(database.kysely, account))?.shares_presence === 1,
    async setSharesPresence(account, shares) {
      await database.write((tx) => store.setSharesPresence(tx, { account, shares }))
      for (const listener of listeners) listener({ account, shares })
    },
    onSharesPresence(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    any: () => store.anyAccount(database.kysely),
  }
}
