/** What rooms write and read with every message, on the database that there is. */
import type { DeliveryStore, DeliveryStoreHears } from './delivery/delivery.store.ts'
import { PostgresDeliveryStore } from './delivery/postgres.store.ts'
import { SqliteDeliveryStore } from './delivery/sqlite.store.ts'
import { PostgresSignalStore } from './signals/postgres.store.ts'
import type { SignalStore } from './signals/signals.store.ts'
import { SqliteSignalStore } from './signals/sqlite.store.ts'
import type { Database } from './storage/database.ts'
import { createGroupCommit } from './storage/sqlite/group-commit.ts'

export interface HotPath {
  readonly delivery: DeliveryStore
  readonly signals: SignalStore
}

/** `several`: there are other servers on this database. */
export function openHotPath(database: Database, { several, ...hears }: DeliveryStoreHears & { readonly several: boolean }): HotPath {
  if (database.kind === 'postgres') {
    return { delivery: new PostgresDeliveryStore({ database, hears }), signals: new PostgresSignalStore(database.lanes[0], { several }) }
  }
  const groupCommit = createGroupCommit({ database, onBatch: (size) => hears.onBatch(size) })
  return { delivery: new SqliteDeliveryStore({ database, groupCommit, hears }), signals: new SqliteSignalStore(groupCommit) }
}
