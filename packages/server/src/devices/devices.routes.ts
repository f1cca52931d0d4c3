/** Enrolling devices and their signed lists, tied to the contract. */
import { Refusal, type AccountId, type Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Devices } from './devices.ts'

export interface DeviceRoutesDeps {
  readonly devices: Devices
  readonly limits: Limits
  /** The handle in its owner's spelling. */
  readonly handleOf: (account: AccountId) => Promise<string | undefined>
  /** Whether two accounts are in one conversation. */
  readonly sharesConversation: (one: AccountId, other: AccountId) => Promise<boolean>
}

export function deviceHandlers({ devices, limits, handleOf, sharesConversation }: DeviceRoutesDeps): RoomHandlers<Routes['devices']> {
  return {
    async enrol({ body, caller }) {
      await limits.spend('devices', caller.account)
      if (caller.kind === 'device') throw new Refusal('already_exists')
      await devices.enrol({ ...body, account: caller.account, session: caller.session })
      return { device: body.device }
    },
    async list({ params, caller }) {
      const { account } = params
      const allowed = account === caller.account || (await sharesConversation(caller.account, account))
      const list = allowed ? await devices.deviceListOf(account) : undefined
      const handle = allowed ? await handleOf(account) : undefined
      if (!list || handle === undefined) throw new Refusal('not_found')
      return { deviceList: list.bytes, handle }
    },
    async replaceList({ body, caller }) {
      const { account, session } = caller
      await limits.spend('devices', account)
      return {
        version: await devices.replaceList({ ...body, account, session, device: caller.kind === 'device' ? caller.device : undefined }),
      }
    },
    async offerListAgain({ body, caller }) {
      await limits.spend('devices', caller.account)
      return { version: await devices.takeAgain({ ...body, account: caller.account }) }
    },
  }
}
