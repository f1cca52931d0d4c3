/** Rows of the transparency room. All of it is public. */

export interface TransparencyTables {
  /** One row: how long the log is, and its newest head as it was signed. */
  transparency_log: {
    id: number
    size: number
    /** Empty while the log is. */
    head: Uint8Array
  }
  /** The log: which version of a device list each account had when, by hashes. */
  transparency_entry: {
    /** From 0, without gaps. */
    position: number
    bytes: Uint8Array
  }
  /** Complete subtrees of the log's Merkle tree; never changed. */
  transparency_node: {
    level: number
    position: number
    hash: Uint8Array
  }
  /** The tree over the labels; the three columns after the hash are those of a leaf. */
  transparency_place: {
    /** Bits from the root, as text. */
    prefix: string
    hash: Uint8Array
    label: Uint8Array | null
    version: number | null
    list_hash: Uint8Array | null
  }
}
