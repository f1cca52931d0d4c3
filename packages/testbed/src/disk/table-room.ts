/**
 * The SQLite that comes from npm was linked with a function table that cannot grow, so no function of ours could become part
 * of it. The table's upper limit is one number in the program (WebAssembly Core Specification, section 5.5.7); it is raised.
 */

const TABLE_SECTION = 4
const HAS_MAXIMUM = 1

/** The largest number that two bytes of LEB128 hold. */
const TWO_BYTES = 16_383

/** A copy of the program whose table has room. Throws when the program has not exactly one table, with a limit of two bytes. */
export function withRoomInTable(program: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(program)
  // After the magic number and the version: sections, each with its kind and its size.
  for (let at = 8; at < copy.length;) {
    const size = readLeb(copy, at + 1)
    if (copy[at] === TABLE_SECTION) return raised(copy, size.next)
    at = size.next + size.value
  }
  throw new TypeError('this program has no table')
}

function raised(copy: Uint8Array<ArrayBuffer>, section: number): Uint8Array<ArrayBuffer> {
  const count = readLeb(copy, section)
  const limits = count.next + 1
  const least = readLeb(copy, limits + 1)
  const most = readLeb(copy, least.next)
  if (count.value !== 1 || copy[limits] !== HAS_MAXIMUM || most.next - least.next !== 2)
    throw new TypeError('not the table that was expected')
  copy.set([0x80 | (TWO_BYTES & 0x7f), TWO_BYTES >> 7], least.next)
  return copy
}

/** An unsigned number (section 5.2.2) and where it ends. */
function readLeb(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0
  for (let at = from, shift = 0; ; at += 1, shift += 7) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at + 1 }
  }
}
