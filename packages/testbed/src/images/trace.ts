/**
 * What a server process did to its database files and said on its sockets, in the order in which it did it, from the output of
 * `strace -f -yy -xx`. A write counts from its return, an answer from its beginning: on both sides the less favourable moment.
 */

export type Step =
  | { readonly kind: 'write'; readonly file: DatabaseFile; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: DatabaseFile; readonly size: number }
  | { readonly kind: 'sync'; readonly file: DatabaseFile }
  | { readonly kind: 'unlink'; readonly file: DatabaseFile }
  | { readonly kind: 'said'; readonly bytes: Buffer }

/** The shared memory beside them is rebuilt after a crash. */
export const DATABASE_FILES = ['tacit.sqlite', 'tacit.sqlite-wal', 'tacit.sqlite-journal'] as const
export type DatabaseFile = (typeof DATABASE_FILES)[number]

/** The calls to record. */
export const CALLS = 'pwrite64,write,writev,sendto,sendmsg,ftruncate,fdatasync,fsync,unlink'

/** Paths come in hex, sockets as they are: `TCP:[127.0.0.1:80->127.0.0.1:4000]`. */
const CALL = /^\d+\s+(\w+)\(\d+<(.*?)>(?:, (.*?))?(?: <unfinished \.\.\.>|\)\s+= (-?\d+).*)$/
const UNLINK = /^\d+\s+unlink\("((?:\\x[0-9a-f]{2})*)"\)\s+= 0/
const RESUMED = /^(\d+)\s+<\.\.\. \w+ resumed>(.*)$/
const STRINGS = /"((?:\\x[0-9a-f]{2})*)"/g

export async function* readTrace(lines: AsyncIterable<string>): AsyncGenerator<Step> {
  const unfinished = new Map<string, string>()
  for await (const line of lines) {
    const resumed = RESUMED.exec(line)
    const process = line.slice(0, line.indexOf(' '))
    if (line.endsWith('<unfinished ...>')) unfinished.set(process, line.slice(0, -' <unfinished ...>'.length))
    const whole = resumed ? `${unfinished.get(process) ?? ''}${resumed[2] ?? ''}` : line
    const step = readCall(whole, resumed !== null)
    if (step) yield step
  }
}

function readCall(line: string, isResumed: boolean): Step | undefined {
  const unlinked = UNLINK.exec(line)?.[1]
  if (unlinked !== undefined) return unlinkOf(fileAt(fromHex(unlinked).toString()))
  const [, call = '', place = '', args = '', result] = CALL.exec(line) ?? []
  if (/^(TCP|socket)/.test(place)) return isResumed ? undefined : { kind: 'said', bytes: bytesIn(args) }
  const file = fileAt(fromHex(place).toString())
  const returned = Number(result)
  if (!file || result === undefined || returned < 0) return undefined
  if (call === 'fsync' || call === 'fdatasync') return { kind: 'sync', file }
  if (call === 'ftruncate') return { kind: 'truncate', file, size: Number(args) }
  if (call === 'pwrite64')
    return { kind: 'write', file, offset: Number(args.slice(args.lastIndexOf(',') + 1)), bytes: bytesIn(args).subarray(0, returned) }
  throw new Error(`the database is written by ${call}, which is not understood`)
}

const unlinkOf = (file: DatabaseFile | undefined): Step | undefined => file && { kind: 'unlink', file }

const fileAt = (path: string): DatabaseFile | undefined => DATABASE_FILES.find((name) => path.endsWith(`/${name}`))

const bytesIn = (args: string): Buffer => Buffer.concat([...args.matchAll(STRINGS)].map(([, text = '']) => fromHex(text)))

const fromHex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex')
