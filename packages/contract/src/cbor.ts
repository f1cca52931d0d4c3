/**
 * Deterministic CBOR (RFC 8949 section 4.2) as we allow it: integers, byte and text strings, arrays, booleans, null.
 * Anything accepted re-encodes to the same bytes, so there is one encoding per value and hashes are unambiguous. Written
 * for frames: a server decodes and encodes several with each message.
 */

export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[]

/** A value that was encoded before, to stand in a larger one as it is. */
export class Encoded {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

export type Encodable = CborValue | Encoded | readonly Encodable[]

/** Thrown for bytes that are not canonical CBOR of the kinds above. Carries nothing of the input. */
export class CborError extends Error {
  override readonly name = 'CborError'
}

/** Nesting allowed; our deepest frame has five levels. */
const MAX_DEPTH = 16

/** Throws a TypeError for a number that is no safe integer. */
export const encodeCbor = (value: CborValue): Uint8Array<ArrayBuffer> => written(value).slice()

/** As `encodeCbor`, into bytes that `allocate` provides. */
export function encodeCborInto(value: Encodable, allocate: (size: number) => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = written(value)
  const target = allocate(bytes.length)
  target.set(bytes)
  return target
}

/** Exactly one canonical value, nothing after it. Byte strings are copies. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  return decodeWhole(new Reader(bytes, (start, end) => new Uint8Array(bytes.subarray(start, end))))
}

/** As `decodeCbor`, but byte strings are views of `bytes`: for what is used up before those change or are let go. */
export function decodeCborInPlace(bytes: Uint8Array): CborValue {
  const { buffer, byteOffset } = bytes
  return decodeWhole(new Reader(bytes, (start, end) => new Uint8Array(buffer, byteOffset + start, end - start)))
}

function decodeWhole(reader: Reader): CborValue {
  const value = reader.value(0)
  if (!reader.atEnd) throw new CborError('bytes after the value')
  return value
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, simple: 7 } as const
const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6 } as const

/** The first byte's low five bits: below 24 the value itself, else how many bytes hold it. */
const WIDTHS = new Map([
  [24, 1],
  [25, 2],
  [26, 4],
  [27, 8],
])

/** The least value that needs each width; a smaller one has a shorter encoding. */
const LEAST = new Map([
  [1, 24],
  [2, 0x100],
  [4, 0x1_0000],
  [8, 0x1_0000_0000],
])

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Texts up to this length are mostly ASCII ids, and quicker one by one. */
const SHORT_TEXT = 64

class Reader {
  readonly #bytes: Uint8Array
  readonly #cut: (start: number, end: number) => Uint8Array
  #at = 0

  constructor(bytes: Uint8Array, cut: (start: number, end: number) => Uint8Array) {
    this.#bytes = bytes
    this.#cut = cut
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): CborValue {
    const first = this.#byte()
    const major = first >> 5
    if (major === MAJOR.simple) return simpleOf(first)
    const argument = this.#argument(first & 31)
    if (major === MAJOR.unsigned) return argument
    if (major === MAJOR.negative) return safe(-1 - argument)
    if (major === MAJOR.bytes) return this.#cut(this.#take(argument), this.#at)
    if (major === MAJOR.text) return this.#text(this.#take(argument), this.#at)
    if (major === MAJOR.array) return this.#array(argument, depth + 1)
    throw new CborError('maps and tags are not allowed')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new CborError('ends too early')
    return byte
  }

  /** Advances over `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw new CborError('ends too early')
    this.#at = start + length
    return start
  }

  #argument(info: number): number {
    if (info < 24) return info
    const width = WIDTHS.get(info)
    if (width === undefined) throw new CborError('an indefinite length')
    let value = 0
    for (let left = width; left > 0; left--) value = value * 256 + this.#byte()
    if (value < (LEAST.get(width) ?? 0)) throw new CborError('longer than needed')
    return safe(value)
  }

  #text(start: number, end: number): string {
    let text = ''
    if (end - start > SHORT_TEXT) return this.#utf8(start, end)
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at] ?? 0
      if (byte > 0x7f) return this.#utf8(start, end)
      text += String.fromCharCode(byte)
    }
    return text
  }

  #utf8(start: number, end: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, end))
    } catch {
      throw new CborError('text that is no UTF-8')
    }
  }

  /** Each element takes a byte at least, so a length that cannot be true is refused before anything is allocated. */
  #array(length: number, depth: number): CborValue[] {
    if (depth > MAX_DEPTH) throw new CborError('nested too deep')
    if (length > this.#bytes.length - this.#at) throw new CborError('ends too early')
    const values: CborValue[] = []
    for (let left = length; left > 0; left--) values.push(this.value(depth))
    return values
  }
}

function simpleOf(byte: number): boolean | null {
  if (byte === SIMPLE.null) return null
  if (byte === SIMPLE.true || byte === SIMPLE.false) return byte === SIMPLE.true
  throw new CborError('a kind of value that is not allowed here')
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new CborError('a number that is too large')
  return value
}

const toUtf8 = new TextEncoder()

/** What most frames need; a larger value makes a larger one for itself. */
const SCRATCH = 16 * 1024
const scratch = new Uint8Array(SCRATCH)

/** A view of the shared scratch bytes, to be copied at once. */
function written(value: Encodable): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  writer.value(value)
  return writer.written
}

class Writer {
  #bytes = scratch
  #at = 0

  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at)
  }

  value(value: Encodable): void {
    if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#text(value)
    else if (value instanceof Uint8Array) this.#blob(MAJOR.bytes, value)
    else if (value === null || typeof value === 'boolean') this.#simple(value === null ? SIMPLE.null : value ? SIMPLE.true : SIMPLE.false)
    else if (value instanceof Encoded) this.#raw(value.bytes)
    else this.#array(value)
  }

  #simple(byte: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = byte
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError('only safe integers can be encoded')
    if (value < 0) this.#head(MAJOR.negative, -1 - value)
    else this.#head(MAJOR.unsigned, value)
  }

  #array(values: readonly Encodable[]): void {
    this.#head(MAJOR.array, values.length)
    for (const value of values) this.value(value)
  }

  #text(value: string): void {
    if (!this.#shortAscii(value)) this.#blob(MAJOR.text, toUtf8.encode(value))
  }

  /** Returns false, with nothing written, for another kind of text. */
  #shortAscii(value: string): boolean {
    const start = this.#at
    if (value.length > SHORT_TEXT) return false
    this.#head(MAJOR.text, value.length)
    this.#room(value.length)
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at)
      if (code > 0x7f) {
        this.#at = start
        return false
      }
      this.#bytes[this.#at++] = code
    }
    return true
  }

  #blob(major: number, value: Uint8Array): void {
    this.#head(major, value.length)
    this.#raw(value)
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #head(major: number, value: number): void {
    this.#room(9)
    const kind = major << 5
    if (value < 24) this.#bytes[this.#at++] = kind | value
    else if (value < 0x100) this.#wide(kind | 24, value, 1)
    else if (value < 0x1_0000) this.#wide(kind | 25, value, 2)
    else if (value < 0x1_0000_0000) this.#wide(kind | 26, value, 4)
    else this.#wide(kind | 27, value, 8)
  }

  #wide(first: number, value: number, width: number): void {
    this.#bytes[this.#at] = first
    let rest = value
    for (let at = this.#at + width; at > this.#at; at--) {
      this.#bytes[at] = rest % 256
      rest = Math.floor(rest / 256)
    }
    this.#at += 1 + width
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + length))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}
