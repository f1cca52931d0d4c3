/** The front door of the archive: keeps each account's sealed history within a quota. It can open none of it. */
import { Refusal, type AccountId, type Routes } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Database } from '../storage/database.ts'
import type { DiskSpace } from '../storage/disk-space.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './archive.store.ts'

export interface ArchiveDeps {
  readonly database: Database
  readonly bells: Bells
  readonly limits: Limits
  readonly space: Pick<DiskSpace, 'assertRoom'>
  /** Bytes that all segments of one account may have. */
  readonly quota: number
}

type Handlers = RoomHandlers<Routes['archive']>
type Written = Parameters<Handlers['write']>[0]['body']

/** Nobody has the key to it any more; in the transaction by which the account begins anew. */
export const forgetArchive = (tx: Transaction<Tables>, account: AccountId) => store.dropArchive(tx, account)

export function archiveHandlers({ database, bells, limits, space, quota }: ArchiveDeps): Handlers {
  return {
    async head({ caller }) {
      const head = await store.findHead(database.kysely, caller.account)
      const used = await store.bytesUsed(database.kysely, caller.account)
      return { version: head?.version ?? 0, bytes: head?.head ?? new Uint8Array(), used, quota }
    },
    async segment({ params, caller }) {
      const segment = await store.findSegment(database.kysely, { account: caller.account, number: params.number })
      if (!segment) throw new Refusal('not_found')
      return segment
    },
    async write({ body, caller }) {
      await limits.spend('archive', caller.account)
      if (body.put.length > 0) space.assertRoom()
      const { account } = caller
      return bells.write(async (tx, say) => {
        const used = await write(tx, account, body)
        // Taking away is always possible, however much there is.
        if (body.put.length > 0 && used > quota) throw new Refusal('archive_full')
        say({ kind: 'archive_changed', account, version: body.version })
        return { version: body.version, used }
      })
    },
  }
}

/** The head first: its row is what two writers queue for. Gives the bytes of all segments. */
async function write(tx: Transaction<Tables>, account: AccountId, { version, head, put, drop, clear }: Written): Promise<number> {
  if (!(await store.replaceHead(tx, { account, version, head }))) {
    const current = await store.findHead(tx, account)
    throw new Refusal('version_conflict', { version: current?.version ?? 0 })
  }
  if (clear) await store.clearSegments(tx, account)
  if (drop.length > 0) await store.dropSegments(tx, { account, numbers: drop })
  for (const { number, bytes } of put) await store.putSegment(tx, { account, number, size: bytes.length, bytes })
  return store.bytesUsed(tx, account)
}
