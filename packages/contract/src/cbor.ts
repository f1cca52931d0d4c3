/**
 * Deterministic CBOR (RFC 8949 section 4.2) as we allow it: integers, byte and text strings, arrays, booleans, null.
 * Anything accepted re-encodes to the same bytes, so there is one encoding per value and hashes are unambiguous.
 */
import { decode, encode } from 'cborg'

export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[]

/** Thrown for bytes that are not canonical CBOR of the kinds above. Carries nothing of the input. */
export class CborError extends Error {
  override readonly name = 'CborError'
}

/** Nesting allowed; our deepest frame has five levels. */
const MAX_DEPTH = 16

export const encodeCbor = (value: CborValue): Uint8Array<ArrayBuffer> => new Uint8Array(encode(value))

/** Exactly one canonical value, nothing after it. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  assertShallow(bytes)
  let value: unknown
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
  } catch {
    throw new CborError('not canonical CBOR')
  }
  return narrow(value)
}

function narrow(value: unknown): CborValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(narrow)
  throw new CborError('a kind of value that is not allowed here')
}

/**
 * Refuses deep nesting before the recursive decoder sees it: a megabyte of 0x81 would otherwise exhaust the stack.
 * Walks headers only; what is not well-formed is left for the decoder to refuse.
 */
function assertShallow(bytes: Uint8Array): void {
  const open: number[] = []
  let at = 0
  while (at < bytes.length) {
    const head = readHead(bytes, at)
    if (!head) return
    at = head.next
    if (head.major === 2 || head.major === 3) at += head.value
    while (open.length > 0 && open[open.length - 1] === 0) open.pop()
    const last = open.length - 1
    if (last >= 0) open[last] = (open[last] ?? 1) - 1
    if (head.major === 4) {
      open.push(head.value)
      if (open.length > MAX_DEPTH) throw new CborError('nested too deep')
    } else if (head.major > 4 && head.major < 7) throw new CborError('maps and tags are not allowed')
  }
}

function readHead(bytes: Uint8Array, at: number): { major: number; value: number; next: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const major = first >> 5
  const info = first & 31
  if (info < 24) return { major, value: info, next: at + 1 }
  const size = { 24: 1, 25: 2, 26: 4, 27: 8 }[info]
  if (size === undefined || at + 1 + size > bytes.length) return undefined
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + 1 + i] ?? 0)
  return { major, value, next: at + 1 + size }
}
