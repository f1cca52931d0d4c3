/**
 * Bytes on the wire: base64url text (no padding) in JSON, raw in socket frames, `Uint8Array` in code on both sides.
 */
import { z } from 'zod'

const ALPHABET = /^[A-Za-z0-9_-]*$/

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The inverse of `toBase64Url`; undefined for anything that is not its canonical output. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!ALPHABET.test(text) || text.length % 4 === 1) return undefined
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  return toBase64Url(bytes) === text ? bytes : undefined
}

/** Size bounds in bytes. */
export interface ByteBounds {
  readonly min?: number
  readonly max: number
}

/** Bytes in a JSON body: a base64url string outside, a `Uint8Array` inside. */
export function jsonBytes({ min = 0, max }: ByteBounds) {
  const text = z
    .string()
    .min(Math.ceil((min * 4) / 3))
    .max(Math.ceil((max * 4) / 3))
    .regex(ALPHABET)
    .meta({ contentEncoding: 'base64url', description: `${min} to ${max} bytes, base64url without padding` })
  return z.codec(text, rawBytes({ min, max }), {
    decode: (value, context) => {
      const bytes = fromBase64Url(value)
      if (bytes) return bytes
      context.issues.push({ code: 'custom', message: 'not canonical base64url', input: value })
      return z.NEVER
    },
    encode: (value) => toBase64Url(value),
  })
}

/** Bytes in a socket frame. */
export function rawBytes({ min = 0, max }: ByteBounds) {
  return z.instanceof(Uint8Array).refine((bytes) => bytes.length >= min && bytes.length <= max, `expected ${min} to ${max} bytes`)
}

/** Equality without an early exit; for tags, tokens and hashes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let at = 0; at < left.length; at++) difference |= (left[at] ?? 0) ^ (right[at] ?? 0)
  return difference === 0
}

/** One array from several. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
