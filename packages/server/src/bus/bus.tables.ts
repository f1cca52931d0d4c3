/** Rows of the bus, with several servers: doorbells that must not be lost, for as long as somebody may not have read them. */
export interface BusTables {
  written_notice: {
    /** Random. */
    id: string
    /** The transaction that wrote it: rows become visible in another order than their times. */
    tx: number
    /** When, ms. */
    at: number
    /** The notice, CBOR. */
    bytes: Uint8Array
  }
}
