/** Small byte arrays cut from larger ones, because allocating costs the engine more than filling them. Each slab lives as long as any piece of it. */

const SLAB = 16 * 1024

/** What is larger than this has an allocation of its own. */
const LARGEST_PIECE = SLAB / 4

export class Slab {
  #bytes = new Uint8Array(0)
  #at = 0

  /** Bytes that nobody else has, all zero. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size > LARGEST_PIECE) return new Uint8Array(size)
    if (this.#at + size > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB)
      this.#at = 0
    }
    return this.#bytes.subarray(this.#at, (this.#at += size))
  }
}
