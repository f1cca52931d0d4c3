/**
 * Walks over the fields of an MLS message (RFC 9420 section 2.1) for what a device wants to know before or beside the
 * engine. Past the end there is nothing: numbers and vectors are undefined there.
 */

export class Walker {
  readonly #bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  number(width: number): number | undefined {
    if (this.offset + width > this.#bytes.length) return undefined
    let value = 0
    for (let i = 0; i < width; i++) value = value * 256 + (this.#bytes[this.offset + i] ?? 0)
    this.offset += width
    return value
  }

  /** The offset where the vector ends; never beyond the bytes. */
  enterVector(): number {
    const first = this.#bytes[this.offset] ?? 0
    const length = (this.number(1 << (first >> 6)) ?? 0) & (first >> 6 === 0 ? 0x3f : first >> 6 === 1 ? 0x3fff : 0x3fffffff)
    return Math.min(this.offset + length, this.#bytes.length)
  }

  opaque(): Uint8Array | undefined {
    if (this.offset >= this.#bytes.length) return undefined
    const end = this.enterVector()
    const value = this.#bytes.slice(this.offset, end)
    this.offset = end
    return value
  }
}
