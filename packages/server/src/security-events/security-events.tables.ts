import type { AccountId, DeviceId, SecurityEventKind } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface SecurityEventTables {
  security_event: {
    /** Counts all accounts' events, so it says only which came first. */
    position: Generated<number>
    account: AccountId
    kind: SecurityEventKind
    method: string | null
    device: DeviceId | null
    times: number
    at: number
  }
}
