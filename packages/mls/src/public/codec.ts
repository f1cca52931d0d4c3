/**
 * The presentation language of RFC 9420 section 2.1, read strictly: length prefixes are minimal, presence octets are 0 or 1,
 * a value ends where its bytes end. Whatever decodes re-encodes to the same bytes, so hashes and signatures over re-encoded
 * values are hashes and signatures over what was received.
 */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'

/** How one type travels. `read` throws `MlsError` `malformed`, `unsupported` or `too_large`; `write` throws only on misuse. */
export interface Codec<T> {
  read(from: Reader): T
  write(to: Writer, value: T): void
}

/** Encodes a value in the presentation language (RFC 9420 section 2.1). `usage` for values that have no encoding. */
export const encode = <T>(codec: Codec<T>, value: T): Bytes => {
  const to = idle.pop() ?? new Writer()
  codec.write(to, value)
  const bytes = to.finish()
  if (to.reset()) idle.push(to)
  return bytes
}

/**
 * Decodes exactly one value (RFC 9420 section 2.1): the bytes must end where the value does. Throws `malformed`, `unsupported` or `too_large`.
 * @param limit refuse longer inputs before reading them, in bytes.
 */
export const decode = <T>(codec: Codec<T>, bytes: Bytes, limit: number = DEFAULT_LIMIT): T => {
  expectLength(bytes, limit)
  return readAll(codec, new Reader(bytes))
}

/**
 * As `decode`, for a whole message that came in: it is copied once, and what is needed only while it is processed
 * (ciphertexts, encodings of what was signed) are views of that copy, so that a commit of a megabyte is not copied again.
 */
export const decodeMessage = <T>(codec: Codec<T>, bytes: Bytes): T => {
  expectLength(bytes, DEFAULT_LIMIT)
  return readAll(codec, new Reader(bytes.slice(), { lends: true }))
}

/** As `decode`, of bytes that are nobody else's: what comes out is views of them, and keeps them as long as it lives. */
export const decodeOwned = <T>(codec: Codec<T>, bytes: Bytes): T => readAll(codec, new Reader(bytes, { owns: true }))

const expectLength = ({ length }: Bytes, limit: number): void => {
  if (length > limit) throw new MlsError('too_large', `input of ${length} bytes, at most ${limit}`)
}

const readAll = <T>(codec: Codec<T>, from: Reader): T => {
  const value = codec.read(from)
  from.expectEnd()
  return value
}

/** 16 MiB holds a full commit that adds a thousand hybrid members, six times over. */
export const DEFAULT_LIMIT = 16 * 1024 * 1024

const malformed = (what: string): MlsError => new MlsError('malformed', what)

/** What a reader may read, and what may be views of its bytes. */
export interface ReadRange {
  readonly start?: number
  readonly end?: number
  /** The bytes are nobody else's and live as long as what is read from them: all of it may be views. */
  readonly owns?: boolean
  /** The bytes are nobody else's: what is needed only for a while may be views. */
  readonly lends?: boolean
}

/** A cursor over bytes that never reads past its end and never allocates more than is there. */
export class Reader {
  readonly #bytes: Bytes
  #offset: number
  readonly #end: number
  readonly #owns: boolean
  readonly #lends: boolean

  constructor(bytes: Bytes, range: ReadRange = {}) {
    this.#bytes = bytes
    this.#offset = range.start ?? 0
    this.#end = range.end ?? bytes.length
    this.#owns = range.owns ?? false
    this.#lends = range.lends ?? this.#owns
  }

  #cut(start: number, end: number, asView: boolean): Bytes {
    return asView ? this.#bytes.subarray(start, end) : this.#bytes.slice(start, end)
  }

  get remaining(): number {
    return this.#end - this.#offset
  }

  /** Goes on behind the next `length` bytes; returns where they begin. */
  skip(length: number): number {
    if (length > this.remaining) throw malformed(`${length} bytes wanted, ${this.remaining} left`)
    const at = this.#offset
    this.#offset += length
    return at
  }

  uint(width: 1 | 2 | 4): number {
    const end = this.skip(width) + width
    let value = 0
    for (let at = end - width; at < end; at++) value = value * 256 + (this.#bytes[at] ?? 0)
    return value
  }

  uint64(): bigint {
    const high = this.uint(4)
    return (BigInt(high) << 32n) | BigInt(this.uint(4))
  }

  /** A copy of the next `length` bytes: a decoded value never aliases its input. */
  raw(length: number): Bytes {
    return this.#cut(this.skip(length), this.#offset, this.#owns)
  }

  /** As `raw`, of what is needed while the message is processed and not longer. */
  passing(length: number): Bytes {
    return this.#cut(this.skip(length), this.#offset, this.#lends)
  }

  /** RFC 9420 section 2.1.2: the two high bits give the width; 11 and non-minimal widths are malformed. */
  length(): number {
    const first = this.uint(1)
    const width = first >> 6
    if (width === 0) return first
    if (width === 1) {
      const value = ((first & 0x3f) << 8) | this.uint(1)
      if (value < 64) throw malformed('length prefix is not minimal')
      return value
    }
    if (width === 3) throw malformed('length prefix starts with 11')
    const value = ((first & 0x3f) << 24) | (this.uint(1) << 16) | this.uint(2)
    if (value < 16_384) throw malformed('length prefix is not minimal')
    return value
  }

  /** A reader bounded to the next length-prefixed vector. */
  vector(): Reader {
    const length = this.length()
    const at = this.skip(length)
    return new Reader(this.#bytes, { start: at, end: at + length, owns: this.#owns, lends: this.#lends })
  }

  /** The bytes consumed since `mark`, where `mark` was a former value of `remaining`. */
  since(mark: number, use: 'lasting' | 'passing' = 'lasting'): Bytes {
    return this.#cut(this.#end - mark, this.#offset, use === 'lasting' ? this.#owns : this.#lends)
  }

  expectEnd(): void {
    if (this.remaining !== 0) throw malformed(`${this.remaining} bytes too many`)
  }
}

/** From here on copying costs more than the slack of a grown buffer. */
const LONG = 16_384

/** What follows a long vector fits beside it: a signature and tags, or the rest of a snapshot. */
const SLACK = 4096

/** A growing buffer. */
export class Writer {
  #bytes = new Uint8Array(512)
  #length = 0

  #reserve(length: number): number {
    const at = this.#length
    if (at + length > this.#bytes.length) this.expect(Math.max(this.#bytes.length, length))
    this.#length += length
    return at
  }

  /** Makes room for so many bytes more, that they need not be copied from buffer to larger buffer. */
  expect(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const grown = new Uint8Array(this.#length + length + SLACK)
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  uint(width: 1 | 2 | 4, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) throw new MlsError('usage', `${value} is no uint${8 * width}`)
    const end = this.#reserve(width) + width
    for (let at = end - 1, rest = value; at >= end - width; at--, rest = Math.floor(rest / 256)) this.#bytes[at] = rest
  }

  uint64(value: bigint): void {
    if (value < 0n || value >= 1n << 64n) throw new MlsError('usage', `${value} is no uint64`)
    this.uint(4, Number(value >> 32n))
    this.uint(4, Number(value & 0xffff_ffffn))
  }

  raw(bytes: Bytes): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  length(value: number): void {
    if (value < 64) this.uint(1, value)
    else if (value < 16_384) this.uint(2, value | 0x4000)
    else if (value < 2 ** 30) this.uint(4, value + 0x8000_0000)
    else throw new MlsError('too_large', `vector of ${value} bytes`)
  }

  /** Writes a length-prefixed vector whose content `body` writes; the prefix is as short as the content allows. */
  vector(body: () => void): void {
    const at = this.#reserve(4)
    body()
    const size = this.#length - at - 4
    const width = size < 64 ? 1 : size < 16_384 ? 2 : 4
    if (width < 4) this.#bytes.copyWithin(at + width, at + 4, this.#length)
    this.#length = at
    this.length(size)
    this.#length += size
  }

  /** What was written. The writer is done: a long result is its buffer itself, not a copy. */
  finish(): Bytes {
    return this.#length < LONG ? this.#bytes.slice(0, this.#length) : this.#bytes.subarray(0, this.#length)
  }

  /** Overwrites what was written, secrets among it, and tells whether this writer can be used again. */
  reset(): boolean {
    if (this.#length >= LONG) return false
    this.#bytes.fill(0, 0, this.#length)
    this.#length = 0
    return true
  }
}

/** Writers between two uses: making one costs more than a short encoding. */
const idle: Writer[] = []

const uint = (width: 1 | 2 | 4): Codec<number> => ({ read: (from) => from.uint(width), write: (to, value) => to.uint(width, value) })
export const uint8 = uint(1)
export const uint16 = uint(2)
export const uint32 = uint(4)
export const uint64: Codec<bigint> = { read: (from) => from.uint64(), write: (to, value) => to.uint64(value) }

const lengthUpTo = (from: Reader, max: number): number => {
  const length = from.length()
  if (length > max) throw new MlsError('too_large', `vector of ${length} bytes, at most ${max}`)
  return length
}

/** Goes on behind an `opaque x<V>` of at most `max` bytes. */
export const passOver = (from: Reader, max: number = DEFAULT_LIMIT): void => void from.skip(lengthUpTo(from, max))

/** `opaque x<V>` of at most `max` bytes. */
export const opaque = (max: number = DEFAULT_LIMIT): Codec<Bytes> => ({
  read: (from) => from.raw(lengthUpTo(from, max)),
  write: (to, value) => {
    to.length(value.length)
    to.raw(value)
  },
})

/** `opaque x<V>` bounded only by the message it is in. */
export const bytes = opaque()

/** As `opaque`, for what is needed only while the message that it is in is processed. */
export const passing = (max: number = DEFAULT_LIMIT): Codec<Bytes> => ({
  read: (from) => from.passing(lengthUpTo(from, max)),
  write: bytes.write,
})

/** What stands before a vector of so many bytes. */
export const vectorLength: Codec<number> = { read: (from) => from.length(), write: (to, value) => to.length(value) }

/** `opaque x[length]`. */
export const fixed = (length: number): Codec<Bytes> => ({
  read: (from) => from.raw(length),
  write: (to, value) => {
    if (value.length !== length) throw new MlsError('usage', `${value.length} bytes where ${length} are fixed`)
    to.raw(value)
  },
})

const elementsOf = <T>(body: Reader, element: Codec<T>, max: number): T[] => {
  const values: T[] = []
  while (body.remaining > 0) {
    if (values.length === max) throw new MlsError('too_large', `more than ${max} elements`)
    values.push(element.read(body))
  }
  return values
}

/** As `vector`, for elements that live and die together: they share one copy of their bytes. */
export const jointVector = <T>(element: Codec<T>, max: number): Codec<readonly T[]> => ({
  read: (from) => elementsOf(new Reader(from.raw(from.length()), { owns: true }), element, max),
  write: (to, values) => to.vector(() => values.forEach((value) => element.write(to, value))),
})

/** `T x<V>` of at most `max` elements. */
export const vector = <T>(element: Codec<T>, max = 65_536): Codec<readonly T[]> => ({
  read: (from) => elementsOf(from.vector(), element, max),
  write: (to, values) => to.vector(() => values.forEach((value) => element.write(to, value))),
})

/** `optional<T>` (RFC 9420 section 2.1.1). */
export const optional = <T>(inner: Codec<T>): Codec<T | undefined> => ({
  read: (from) => {
    const present = from.uint(1)
    if (present > 1) throw malformed(`presence octet is ${present}`)
    return present === 1 ? inner.read(from) : undefined
  },
  write: (to, value) => {
    to.uint(1, value === undefined ? 0 : 1)
    if (value !== undefined) inner.write(to, value)
  },
})

/** Fields one after the other, in the order of the object's keys. */
export const struct = <T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> => {
  const names = Object.keys(fields) as (keyof T)[]
  return {
    read: (from) => {
      const value: Partial<T> = {}
      for (const name of names) value[name] = fields[name].read(from)
      return value as T
    },
    write: (to, value) => {
      for (const name of names) fields[name].write(to, value[name])
    },
  }
}

/** One of several names, each with its number on the wire; another number is `unsupported` unless there can be no others. */
export const choice = <K extends string>(
  width: Codec<number>,
  numbers: { readonly [N in K]: number },
  what: string,
  otherwise: 'unsupported' | 'malformed' = 'unsupported',
): Codec<K> => {
  const byNumber = new Map((Object.keys(numbers) as K[]).map((name) => [numbers[name], name]))
  return {
    read: (from) => {
      const number = width.read(from)
      const name = byNumber.get(number)
      if (name === undefined) throw new MlsError(otherwise, `${what} ${number}`)
      return name
    },
    write: (to, name) => width.write(to, numbers[name]),
  }
}

/** A `select`: the tag says which of the bodies follows. Values are discriminated by `kind`. */
export const select = <T extends { readonly kind: string }>(
  tag: Codec<T['kind']>,
  bodies: { readonly [K in T['kind']]: Codec<Omit<Extract<T, { kind: K }>, 'kind'>> },
): Codec<T> => {
  const bodyOf = (kind: T['kind']): Codec<object> => bodies[kind]
  return {
    read: (from) => {
      const kind = tag.read(from)
      return { kind, ...bodyOf(kind).read(from) } as T
    },
    write: (to, value) => {
      const kind: T['kind'] = value.kind
      tag.write(to, kind)
      bodyOf(kind).write(to, value)
    },
  }
}

/** A codec that knows what its values are encoded as. */
export interface RememberedCodec<T> extends Codec<T> {
  /** Not to be changed, nor kept longer than the value. */
  bytesOf(value: T): Bytes
}

/**
 * A codec that keeps the encoding of a value as long as the value lives. For values that are hashed, signed and stored again
 * and again; they must be immutable. `passing` values are needed only while the message that they are in is processed.
 */
export const remembered = <T extends object>(inner: Codec<T>, use: 'lasting' | 'passing' = 'lasting'): RememberedCodec<T> => {
  const known = new WeakMap<T, Bytes>()
  const bytesOf = (value: T): Bytes => {
    const cached = known.get(value)
    if (cached) return cached
    const made = encode(inner, value)
    known.set(value, made)
    return made
  }
  return {
    bytesOf,
    read: (from) => {
      const mark = from.remaining
      const value = inner.read(from)
      known.set(value, from.since(mark, use))
      return value
    },
    write: (to, value) => to.raw(bytesOf(value)),
  }
}

/** A body without fields. */
export const empty: Codec<object> = { read: () => ({}), write: () => undefined }
