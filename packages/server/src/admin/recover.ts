/** `recover <handle>`: a one-time code for somebody who has no way to sign in left. It gives the account, never what was encrypted. */
import { accountCalled } from '../accounts/accounts.ts'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Settings } from '../settings.ts'
import { openDatabase } from '../storage/database.ts'
import { databasePath } from '../premises.ts'
import { makeRecoveryCode } from '../unlocks/recovery-codes.ts'

/** The code. Works while the server runs. Throws a sentence when nobody has this handle. */
export async function recoverAccount(request: { settings: Settings; clock: Clock; random: Random; handle: string }): Promise<string> {
  const { settings, clock, random, handle } = request
  const { acceptDataLoss } = settings
  const database = await openDatabase({ path: databasePath(settings), url: settings.database, acceptDataLoss })
  try {
    const account = await accountCalled(database, handle)
    if (!account) throw new Error(`Nobody here is called ${handle}.`)
    return await makeRecoveryCode({ database, clock, random }, account)
  } finally {
    await database.close()
  }
}
