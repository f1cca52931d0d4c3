/**
 * CRC-32 (ISO 3309, as in PNG and zlib): tells bytes that a disk has changed. It is no defence against people; what must
 * not be read or forged is sealed.
 */

const POLYNOMIAL = 0xedb88320

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
  return remainder
})

/** A number from 0 to 2^32 - 1; `before`: the checksum of what stands in front of these bytes. */
export function checksum(bytes: Uint8Array, before = 0): number {
  let remainder = ~before
  for (const byte of bytes) remainder = (table[(remainder ^ byte) & 0xff] ?? 0) ^ (remainder >>> 8)
  return ~remainder >>> 0
}
