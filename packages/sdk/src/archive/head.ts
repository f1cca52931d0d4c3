/**
 * The archive's list of itself: which segments there are, with the hash of each as it is now, and whether more are to come.
 * CBOR [1, on, next, past, segments]. It is sealed like a segment, so the server can neither leave out, exchange or reorder
 * segments nor bring back an earlier one: it has only whole archives of earlier versions to show, and `past` tells.
 */
import { CborError, concatBytes, decodeCbor, encodeCbor, limits, type CborValue } from '@tacit/contract'

/** One segment. Segments cover all numbers without gaps: what was put together stands under the first number of its range. */
export interface SegmentEntry {
  readonly number: number
  /** The last number that it covers. */
  readonly through: number
  /** Counts how often it was written. */
  readonly revision: number
  /** Which archive key seals it. */
  readonly generation: number
  /** SHA-256 of the sealed bytes. */
  readonly hash: Uint8Array
  /** Sealed bytes. */
  readonly size: number
  readonly items: number
  /** The time of its newest item, in milliseconds. */
  readonly newest: number
  /** When the first of its items is to be gone, in milliseconds; 0 when none is. */
  readonly expires: number
}

export interface Head {
  /** Whether what is written goes into the archive. */
  readonly on: boolean
  /** The number of the next segment; never goes back. */
  readonly next: number
  /** The first `MARK` bytes of the hash of each earlier head, as the server has it, oldest first; the last of them only. */
  readonly past: Uint8Array
  readonly segments: readonly SegmentEntry[]
}

/** Of a head's hash, enough that nobody finds a second head with the same. */
export const MARK = 16
/** How many changes of the archive a device may miss and still see that its own are part of it. */
const MARKS = 128

/** Before anything was archived: on, because people expect to find their history on the next device. */
export const EMPTY_HEAD: Head = { on: true, next: 1, past: new Uint8Array(), segments: [] }

export const encodeHead = ({ on, next, past, segments }: Head): Uint8Array<ArrayBuffer> =>
  encodeCbor([
    1,
    on,
    next,
    past,
    segments.map((one) => [one.number, one.through, one.revision, one.generation, one.hash, one.size, one.items, one.newest, one.expires]),
  ])

/** Undefined for anything that is not a head. */
export function decodeHead(bytes: Uint8Array): Head | undefined {
  const fields = readList(bytes)
  const [version, on, next, past, segments] = fields
  if (version !== 1 || typeof on !== 'boolean' || !isCount(next) || !(past instanceof Uint8Array) || !Array.isArray(segments))
    return undefined
  if (past.length % MARK !== 0 || segments.length > limits.archiveSegments) return undefined
  const entries = (segments as readonly CborValue[]).map(readEntry)
  return isWhole(entries, next) ? { on, next, past, segments: entries } : undefined
}

/** What the head after this one says of the past. */
export function pastAfter({ past }: Head, mark: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = concatBytes(past, mark)
  return all.slice(Math.max(0, all.length - MARKS * MARK))
}

/** What a head says of the one that came so many versions before it; undefined when that is too long ago. */
export const markBefore = ({ past }: Head, versions: number): Uint8Array | undefined =>
  versions * MARK > past.length ? undefined : past.subarray(past.length - versions * MARK, past.length - (versions - 1) * MARK)

/** The segment in which a number is now. */
export const entryOf = ({ segments }: Head, number: number): SegmentEntry | undefined =>
  segments.find((one) => one.number <= number && number <= one.through)

/** Where the segments begin; numbers before were erased. */
export const firstNumber = ({ segments, next }: Head): number => segments[0]?.number ?? next

function readEntry(value: CborValue): SegmentEntry | undefined {
  if (!Array.isArray(value)) return undefined
  const [number, through, revision, generation, hash, size, items, newest, expires] = value as readonly CborValue[]
  if (!isCount(number) || !isCount(through) || !isCount(revision) || !isCount(generation) || !isCount(size) || !isCount(items))
    return undefined
  if (!(hash instanceof Uint8Array) || hash.length !== 32 || typeof newest !== 'number' || !isCount(expires)) return undefined
  return { number, through, revision, generation, hash, size, items, newest, expires }
}

function isWhole(entries: readonly (SegmentEntry | undefined)[], next: number): entries is SegmentEntry[] {
  let expected: number | undefined
  for (const entry of entries) {
    if (!entry || entry.through < entry.number || (expected !== undefined && entry.number !== expected)) return false
    expected = entry.through + 1
  }
  return expected === undefined || expected === next
}

const isCount = (value: CborValue | undefined): value is number => typeof value === 'number' && value >= 0

function readList(bytes: Uint8Array): readonly CborValue[] {
  try {
    const value = decodeCbor(bytes)
    return Array.isArray(value) ? value : []
  } catch (error) {
    if (error instanceof CborError) return []
    throw error
  }
}
