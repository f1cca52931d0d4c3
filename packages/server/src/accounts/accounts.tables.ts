/** Rows of the accounts room. Times are milliseconds since 1970. */
import type { AccountId } from '@tacit/contract'

export interface AccountTables {
  account: {
    id: AccountId
    /** In the spelling its owner chose. */
    handle: string
    /** Lower case: what a look-up compares. Unique. */
    handle_folded: string
    /** What looks alike has one skeleton. Unique. */
    handle_skeleton: string
    shares_presence: 0 | 1
    created_at: number
  }
}
