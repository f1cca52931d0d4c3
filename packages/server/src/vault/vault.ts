/** The vault: keeps one ciphertext per account and the wrapped keys to it. It can open neither. */
import { Refusal, type AccountId, type Routes, type VaultUnlock } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './vault.store.ts'

/** The first vault of a new account, in the sign-up's transaction. */
export async function createVault(
  tx: Transaction<Tables>,
  { account, bytes, unlock }: { account: AccountId; bytes: Uint8Array; unlock: VaultUnlock },
): Promise<void> {
  await store.addVault(tx, { account, version: 1, bytes })
  await store.addUnlock(tx, { account, kind: unlock.kind, wrapped_key: unlock.wrappedKey })
}

export function vaultHandlers({ database, limits }: { database: Database; limits: Limits }): RoomHandlers<Routes['vault']> {
  return {
    async fetch({ caller }) {
      const vault = await store.findVault(database.kysely, caller.account)
      if (!vault) throw new Refusal('not_found')
      const unlocks = await store.unlocksOf(database.kysely, caller.account)
      return {
        version: vault.version,
        bytes: vault.bytes,
        unlocks: unlocks.map(({ kind, wrapped_key }) => ({ kind, wrappedKey: wrapped_key })),
      }
    },
    async replace({ body, caller }) {
      await limits.spend('vault', caller.account)
      const { version, bytes } = body
      const { account } = caller
      return database.write(async (tx) => {
        if (await store.replaceVault(tx, { account, version, bytes })) return { version }
        const current = await store.findVault(tx, account)
        throw new Refusal('version_conflict', { version: current?.version ?? 0 })
      })
    },
  }
}
