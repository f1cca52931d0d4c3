/** Looks for texts where they must not be: in files, and in the memory of a running process. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Where one of the texts was found, as `place: text`. Looks for UTF-8, UTF-16 and base64 at all three offsets. */
export function leaksInFiles(folder: string, texts: Iterable<string>): string[] {
  const needles = new Needles(texts)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    return needles.in(readFileSync(path)).map((text) => `${path}: ${text}`)
  })
}

/** The same in the writable memory of a process of this machine (Linux, same user). */
export function leaksInMemory(pid: number, texts: Iterable<string>): { readonly bytes: number; readonly leaks: string[] } {
  const needles = new Needles(texts)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    let bytes = 0
    const leaks = writableRanges(pid).flatMap(({ from, length }) => {
      const range = readRange(memory, from, length)
      bytes += range.length
      return needles.in(range).map((text) => `memory at ${from.toString(16)}: ${text}`)
    })
    return { bytes, leaks }
  } finally {
    closeSync(memory)
  }
}

interface Needle {
  readonly text: string
  readonly bytes: Buffer
}

function spellings(text: string): Needle[] {
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64url')
    // The first and last characters depend on the neighbours.
    return Buffer.from(encoded.slice(shift === 0 ? 0 : shift + 1, -2))
  })
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), ...base64].map((bytes) => ({ text, bytes }))
}

/** As many bytes of a spelling say where it may begin. */
const HEAD = 4
const SLOTS = 1 << 20

/** Many texts, looked for in one pass: hundreds of megabytes times a hundred spellings would take minutes one by one. */
class Needles {
  readonly #byHead = new Map<number, Needle[]>()
  /** Whether a spelling may begin with bytes of this hash. */
  readonly #heads = new Uint8Array(SLOTS)

  constructor(texts: Iterable<string>) {
    for (const needle of [...texts].flatMap(spellings)) {
      if (needle.bytes.length < HEAD) throw new Error(`'${needle.text}' is too short to be looked for`)
      const head = needle.bytes.readUInt32BE(0)
      this.#heads[slotOf(head)] = 1
      this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), needle])
    }
  }

  /** Those that are there, each once. */
  in(haystack: Buffer): string[] {
    const there = new Set<string>()
    const heads = this.#heads
    let last = 0
    for (let at = 0; at < haystack.length; at++) {
      last = (last << 8) | (haystack[at] ?? 0)
      if (heads[slotOf(last)] === 0) continue
      const from = at - HEAD + 1
      for (const { text, bytes } of this.#byHead.get(last >>> 0) ?? [])
        if (from >= 0 && bytes.equals(haystack.subarray(from, from + bytes.length))) there.add(text)
    }
    return [...there]
  }
}

const slotOf = (head: number): number => Math.imul(head, 0x9e3779b1) >>> 12

function writableRanges(pid: number): { from: bigint; length: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
  return lines.flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
    if (!match?.[1] || !match[2]) return []
    const from = BigInt(`0x${match[1]}`)
    return [{ from, length: Number(BigInt(`0x${match[2]}`) - from) }]
  })
}

/** What can be read of a range; pages that were never touched may not be readable. */
function readRange(memory: number, from: bigint, length: number): Buffer {
  const chunk = 16 * 1024 * 1024
  const parts: Buffer[] = []
  for (let at = 0; at < length; at += chunk) {
    const part = Buffer.alloc(Math.min(chunk, length - at))
    try {
      parts.push(part.subarray(0, readSync(memory, part, 0, part.length, from + BigInt(at))))
    } catch {
      break
    }
  }
  return Buffer.concat(parts)
}
