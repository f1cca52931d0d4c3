/** Rows of the archive room: ciphertext that the server has no key for. */
import type { AccountId } from '@tacit/contract'

export interface ArchiveTables {
  archive: {
    account: AccountId
    /** Counts the changes, from 1. */
    version: number
    head: Uint8Array
  }
  archive_segment: {
    account: AccountId
    number: number
    /** Of `bytes`, so that a sum needs none of them. */
    size: number
    bytes: Uint8Array
  }
}
