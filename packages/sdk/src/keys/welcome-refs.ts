/** Which key packages a Welcome is for (RFC 9420 section 12.4.3.1), read without opening it. */

/** More recipients than one commit can add. */
const MOST = 1024

/** KeyPackageRefs in a Welcome inside an MLSMessage; none for bytes that are something else. The engine parses it strictly afterwards. */
export function welcomeRefs(message: Uint8Array): readonly Uint8Array[] {
  const at = new Walker(message)
  // version mls10 (1), wire format mls_welcome (3), then the cipher suite.
  if (at.number(2) !== 1 || at.number(2) !== 3 || at.number(2) === undefined) return []
  const end = at.enterVector()
  const refs: Uint8Array[] = []
  while (at.offset < end && refs.length < MOST) {
    const ref = at.opaque()
    // HPKECiphertext: kem_output, ciphertext.
    if (!ref || !at.opaque() || !at.opaque()) return []
    refs.push(ref)
  }
  return refs
}

class Walker {
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
