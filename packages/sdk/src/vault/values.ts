/**
 * What the parts `people`, `settings` and `places` are made of: small values by name, each with a counter, so that what own devices change
 * at the same time merges without anybody deciding. The higher counter wins; of two devices with the same one the higher id. How
 * far something was read only grows. A value that was removed leaves a stone behind for 90 days.
 *
 * The plaintext is CBOR [1, [[name, counter, device, day, value or null] ...]].
 */
import { CborError, decodeCbor, DeviceId, encodeCbor, type CborValue } from '@tacit/contract'

export interface VaultValue {
  readonly name: string
  /** Undefined: removed. */
  readonly value: CborValue | undefined
  readonly counter: number
  /** Who set it last. */
  readonly device: DeviceId
  /** When, in days since 1970. */
  readonly day: number
}

/** Values with this beginning are numbers that only grow. */
export const GROWING = 'read/'

/** How long a removed value is remembered, in days. */
const REMEMBERED = 90

export const DAY_MS = 86_400_000

/** The one of two values of one name that stands. */
export function later(one: VaultValue, other: VaultValue): VaultValue {
  if (one.name.startsWith(GROWING) && grown(one) !== grown(other)) return grown(one) > grown(other) ? one : other
  if (one.counter !== other.counter) return one.counter > other.counter ? one : other
  if (one.device !== other.device) return one.device > other.device ? one : other
  return one
}

const grown = ({ value }: VaultValue): number => (typeof value === 'number' ? value : -1)

/** Of one name at most one each, in the order of names. Stones that are old enough are left out. */
export function encodeValues(values: readonly VaultValue[], today: number): Uint8Array<ArrayBuffer> {
  const kept = values.filter(({ value, day }) => value !== undefined || day + REMEMBERED > today)
  const rows = kept.map(({ name, counter, device, day, value }) => [name, counter, device, day, value ?? null])
  return encodeCbor([1, rows.toSorted((one, other) => (String(one[0]) < String(other[0]) ? -1 : 1))])
}

/** Undefined for what is no list of values. */
export function decodeValues(bytes: Uint8Array): readonly VaultValue[] | undefined {
  try {
    const whole = decodeCbor(bytes)
    if (!Array.isArray(whole) || whole[0] !== 1 || !Array.isArray(whole[1])) return undefined
    return whole[1].flatMap(readValue)
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

function readValue(row: CborValue): VaultValue[] {
  if (!Array.isArray(row)) return []
  const [name, counter, by, day, value] = row
  const device = DeviceId.safeParse(by).data
  if (typeof name !== 'string' || typeof counter !== 'number' || !device || typeof day !== 'number') return []
  return [{ name, counter, device, day, value: value ?? undefined }]
}
