/** Signing up, finding people and my own account, tied to the contract. */
import { Handle, Refusal, type AccountId, type Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import { addressKey, type Limits } from '../gateway/limits.ts'
import type { DiskSpace } from '../storage/disk-space.ts'
import * as store from './accounts.store.ts'
import type { Accounts } from './accounts.ts'
import type { Kits } from '../unlocks/kits.ts'
import { resetAccount } from './reset.ts'
import { claimableHandle, signUp, type SignUpDeps } from './sign-up.ts'

export interface AccountRoutesDeps extends SignUpDeps {
  readonly accounts: Accounts
  readonly kits: Kits
  readonly limits: Limits
  readonly space: DiskSpace
}

export function accountHandlers(deps: AccountRoutesDeps): RoomHandlers<Routes['accounts']> {
  const { accounts, credentials, database, devices, limits, space } = deps
  const person = async (account: store.AccountRow | undefined) => {
    const list = account && (await devices.deviceListOf(account.id))
    if (!account || !list) throw new Refusal('not_found')
    return { account: account.id, handle: Handle.parse(account.handle), accountKey: list.accountKey, deviceList: list.bytes, row: account }
  }
  const refuseKnown = async (account: AccountId) => {
    if (await store.findAccount(database.kysely, account)) throw new Refusal('handle_taken')
  }
  return {
    async startPasswordSignUp({ body, caller }) {
      await limits.spend('sign_up', addressKey(caller.address))
      await claimableHandle(database, body.handle)
      await refuseKnown(body.account)
      return { registrationResponse: credentials.startPasswordSignUp({ account: body.account, request: body.registrationRequest }) }
    },
    async startPasskeySignUp({ body, caller }) {
      await limits.spend('sign_up', addressKey(caller.address))
      const handle = await claimableHandle(database, body.handle)
      return credentials.startPasskeySignUp({ account: body.account, handle })
    },
    async signUp({ body, caller }) {
      await limits.spend('sign_up', addressKey(caller.address))
      space.assertRoom()
      return signUp(body, deps)
    },
    async lookUp({ params, caller }) {
      await limits.spend('look_up', caller.account)
      const { row: _, ...found } = await person(await store.findByHandle(database.kysely, params.handle))
      return found
    },
    async me({ caller }) {
      const { row, ...me } = await person(await store.findAccount(database.kysely, caller.account))
      return {
        ...me,
        device: caller.kind === 'device' ? caller.device : null,
        createdAt: new Date(row.created_at).toISOString(),
        sharesPresence: row.shares_presence === 1,
      }
    },
    async reset({ body, caller }) {
      await limits.spend('devices', caller.account)
      return resetAccount(body, caller, deps)
    },
    async changeMe({ body, caller }) {
      await accounts.setSharesPresence(caller.account, body.sharesPresence)
      return { sharesPresence: body.sharesPresence }
    },
  }
}
