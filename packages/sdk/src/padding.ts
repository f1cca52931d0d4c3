/** Padding of what is sealed for a server to keep: its length in front, then zeros up to a power of two, so that a size tells little. */

/** The smallest size. */
const SMALLEST = 1024
const LENGTH = 4

/** Bytes that are padded to so many, a power of two, at most. */
export const fitting = (size: number): number => size - LENGTH

export function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes.length + LENGTH)))
  const whole = new Uint8Array(size)
  new DataView(whole.buffer).setUint32(0, bytes.length)
  whole.set(bytes, LENGTH)
  return whole
}

/** Undefined for bytes that `padded` does not make. */
export function unpadded(whole: Uint8Array<ArrayBuffer>): Uint8Array | undefined {
  if (whole.length < LENGTH) return undefined
  const length = new DataView(whole.buffer, whole.byteOffset).getUint32(0)
  return length <= whole.length - LENGTH ? whole.slice(LENGTH, LENGTH + length) : undefined
}
