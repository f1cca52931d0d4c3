/** What a house stands on: its database, its secrets, and whether there is room. In the data folder, held by one server alone. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { anyAccount } from './accounts/accounts.ts'
import type { Random } from './random.ts'
import { openSecrets, type Secrets } from './secrets.ts'
import type { Settings } from './settings.ts'
import { openDatabase, type Database } from './storage/database.ts'
import { watchDiskSpace, type DiskSpace } from './storage/disk-space.ts'
import { lockFolder } from './storage/folder-lock.ts'

export interface Premises extends AsyncDisposable {
  readonly database: Database
  readonly secrets: Secrets
  readonly space: DiskSpace
}

/** Throws with a sentence when the folder is taken or the database is not as durable as promised. */
export async function openPremises({ settings, random }: { settings: Settings; random: Random }): Promise<Premises> {
  const folder = settings.dataDir === ':memory:' ? undefined : resolve(settings.dataDir)
  const held = new AsyncDisposableStack()
  try {
    if (folder) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      held.defer(lockFolder(folder))
    }
    const { acceptDataLoss, minFreeDiskMib: minFreeMib } = settings
    const database = await openDatabase({ path: databasePath(settings), url: settings.database, acceptDataLoss, folder })
    held.defer(() => database.close())
    const { secretsKey: sealingKey } = settings
    const shared = sealingKey === '' ? undefined : { database, sealingKey }
    const secrets = await openSecrets({ folder, random, shared, anyAccount: () => anyAccount(database) })
    const space = await watchDiskSpace({ folder, minFreeMib })
    held.defer(() => space.close())
    return { database, secrets, space, [Symbol.asyncDispose]: () => held.disposeAsync() }
  } catch (error) {
    await held.disposeAsync()
    throw error
  }
}

/** Where the SQLite database is, if that is the one. */
export const databasePath = ({ dataDir }: Pick<Settings, 'dataDir'>): string =>
  dataDir === ':memory:' ? dataDir : join(resolve(dataDir), 'tacit.sqlite')
