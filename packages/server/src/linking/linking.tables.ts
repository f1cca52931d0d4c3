/** Rows of the linking room: codes that new devices show, for minutes. */
import type { AccountId, LinkCode, SessionId } from '@tacit/contract'

/** shown: nobody has claimed the code · claimed, offered, revealed: keys are exchanged · approved: a session waits · taken: it was given. */
export type LinkState = 'shown' | 'claimed' | 'offered' | 'revealed' | 'approved' | 'taken' | 'cancelled'

export interface LinkingTables {
  link: {
    code: LinkCode
    /** SHA-256 of what the new device proves itself with. */
    ticket_hash: Uint8Array
    /** SHA-256 over the keys that the new device will show. */
    commitment: Uint8Array
    state: LinkState
    /** Who claimed it; null until then. */
    account: AccountId | null
    session: SessionId | null
    offer_key: Uint8Array | null
    reveal_key: Uint8Array | null
    reveal_nonce: Uint8Array | null
    /** Ciphertext for the new device. */
    sealed: Uint8Array | null
    expires_at: number
  }
}
