/** Where the vectors and optional values of an honest message stand, found by the second opinion's reader, and how to spoil one. */
import { vi } from 'vitest'
import type { Bytes } from '../port.ts'
import {
  Cursor,
  join,
  opaque,
  readGroupInfo,
  readKeyPackage,
  readPrivateMessage,
  readPublicMessage,
  readSealed,
  uint,
} from '../second-opinion/wire.ts'
import { readTree } from '../second-opinion/tree.ts'

/** A vector: its prefix begins at `at`, its content at `from`, both end at `end`. */
export interface Vector {
  readonly at: number
  readonly from: number
  readonly end: number
}

const READERS: Readonly<Record<number, (from: Cursor) => unknown>> = {
  1: readPublicMessage,
  2: readPrivateMessage,
  3: (from) => [from.uint(2), from.list((each) => [each.opaque(), readSealed(each)]), from.opaque()],
  4: (from) => {
    const tree = readGroupInfo(from).extensions.get(2)
    return tree && readTree(new Cursor(tree))
  },
  5: readKeyPackage,
}

/** Reads an MLSMessage and tells where it has vectors, and where octets that say whether a value is present. */
export const shapeOf = (message: Bytes): { readonly vectors: readonly Vector[]; readonly presences: readonly number[] } => {
  const vectors: Vector[] = []
  const presences: number[] = []
  const bytes = new Uint8Array(message)
  const { opaque: readOpaque, maybe: readMaybe } = Cursor.prototype
  vi.spyOn(Cursor.prototype, 'opaque').mockImplementation(function (this: Cursor) {
    const at = this.bytes.byteOffset + this.at
    const content = readOpaque.call(this)
    vectors.push({ at, from: content.byteOffset, end: content.byteOffset + content.length })
    return content
  })
  vi.spyOn(Cursor.prototype, 'maybe').mockImplementation(function (this: Cursor, read: (from: Cursor) => unknown) {
    presences.push(this.bytes.byteOffset + this.at)
    return readMaybe.call(this, read)
  })
  const from = new Cursor(bytes)
  from.take(2)
  READERS[from.uint(2)]?.(from)
  vi.restoreAllMocks()
  return { vectors: vectors.toSorted((a, b) => a.at - b.at), presences }
}

/** The next longer prefix that says the same length, which must not be accepted. */
const widerPrefix = (length: number): Bytes => (length < 64 ? uint(0x4000 + length, 2) : uint(0x8000_0000 + length, 4))

/** The message with one vector's prefix written too long, and all prefixes around it right. */
export const widened = (message: Bytes, vectors: readonly Vector[], target: Vector): Bytes => {
  const rebuild = (start: number, end: number): Bytes => {
    const outermost = vectors.find(({ at, end: last }) => at >= start && last <= end && at <= target.at && target.end <= last)
    if (!outermost) return message.slice(start, end)
    const content = outermost === target ? message.slice(target.from, target.end) : rebuild(outermost.from, outermost.end)
    const whole = outermost === target ? join(widerPrefix(content.length), content) : opaque(content)
    return join(message.slice(start, outermost.at), whole, message.slice(outermost.end, end))
  }
  return rebuild(0, message.length)
}
