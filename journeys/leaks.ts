/** Looks for texts where they must not be: in files, and in the memory of a running process. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Where one of the texts was found, as `place: text`. Looks for UTF-8, UTF-16 and base64 at all three offsets. */
export function leaksInFiles(folder: string, texts: Iterable<string>): string[] {
  const needles = [...texts].flatMap(spellings)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    return found(path, readFileSync(path), needles)
  })
}

/** The same in the writable memory of a process of this machine (Linux, same user). */
export function leaksInMemory(pid: number, texts: Iterable<string>): { readonly bytes: number; readonly leaks: string[] } {
  const needles = [...texts].flatMap(spellings)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    let bytes = 0
    const leaks = writableRanges(pid).flatMap(({ from, length }) => {
      const range = readRange(memory, from, length)
      bytes += range.length
      return found(`memory at ${from.toString(16)}`, range, needles)
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

const found = (place: string, haystack: Buffer, needles: readonly Needle[]): string[] =>
  needles.filter(({ bytes }) => haystack.includes(bytes)).map(({ text }) => `${place}: ${text}`)

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
