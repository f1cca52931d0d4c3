/**
 * Transactions that others must hear of. What `work` says is rung once it is committed; where there are several servers it is
 * also written down in the same transaction, so that each of them hears it whatever becomes of the doorbell, or of this process.
 */
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import type { Bus, Notice, NoticeKind } from './bus.ts'
import { writeDown } from './written.store.ts'

export interface Bells {
  /** `Database.write`; `say` may be called within `work`, which may run several times. */
  write<T>(work: (tx: Transaction<Tables>, say: (notice: Notice) => void) => Promise<T>): Promise<T>
}

export interface BellsDeps {
  readonly database: Pick<Database, 'write'>
  readonly bus: Pick<Bus, 'ring'>
  readonly clock: Clock
  readonly random: Random
  /** There are other servers. */
  readonly several: boolean
}

/** Everything that no other table of the database would tell to whoever looks again. */
const WRITTEN: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  'mailbox',
  'account_joined',
  'sharing_changed',
  'session_ended',
  'devices_changed',
  'vault_changed',
  'keys_low',
])

export function createBells({ database, bus, clock, random, several }: BellsDeps): Bells {
  return {
    async write(work) {
      let said: { readonly notice: Notice; readonly id: string | undefined }[] = []
      const result = await database.write(async (tx) => {
        said = []
        const made = await work(
          tx,
          (notice) => void said.push({ notice, id: several && WRITTEN.has(notice.kind) ? random.id() : undefined }),
        )
        const written = said.flatMap(({ notice, id }) => (id === undefined ? [] : [{ notice, id, at: clock.now() }]))
        if (written.length > 0) await writeDown(tx, written)
        return made
      })
      for (const { notice, id } of said) bus.ring(notice, id)
      return result
    },
  }
}
