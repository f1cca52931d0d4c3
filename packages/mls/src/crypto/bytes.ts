/** Byte strings: joining, comparing, wiping, and the text forms that tests and map keys need. */
import type { Bytes } from '../port.ts'

const utf8 = new TextEncoder()

/** UTF-8 of a text. */
export const text = (value: string): Bytes => utf8.encode(value)

/** Remembers what is made of a label: there are few of them and they are needed often. The results are not to be changed. */
export const ofLabel = (make: (label: string) => Bytes): ((label: string) => Bytes) => {
  const made = new Map<string, Bytes>()
  return (label) => {
    const known = made.get(label)
    if (known) return known
    const fresh = make(label)
    // Exporter labels are the application's, which may have any number of them.
    if (made.size < 128) made.set(label, fresh)
    return fresh
  }
}

/** UTF-8 of a label. */
export const labelBytes = ofLabel(text)

export const NONE: Bytes = new Uint8Array()

export const concat = (...parts: readonly Bytes[]): Bytes => {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Compares without leaving early, so that timing tells nothing about where two secrets differ. */
export const equal = (a: Bytes, b: Bytes): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal; also how byte strings become map keys. */
export const hex = (bytes: Bytes): string => {
  let digits = ''
  for (const byte of bytes) digits += HEX[byte]
  return digits
}

export const fromHex = (digits: string): Bytes =>
  Uint8Array.from({ length: digits.length / 2 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16))

/** A big-endian unsigned integer of `width` bytes. */
export const bigEndian = (value: number, width: 1 | 2 | 4): Bytes => {
  const bytes = new Uint8Array(width)
  for (let at = 0; at < width; at++) bytes[at] = value >>> (8 * (width - 1 - at))
  return bytes
}

/** Overwrites secrets that will not be used again. JavaScript may have copied them elsewhere; dropping every reference is what counts. */
export const wipe = (...secrets: readonly Bytes[]): void => secrets.forEach((secret) => secret.fill(0))
