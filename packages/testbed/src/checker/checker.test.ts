/** The checker is only as good as what it complains about: a good history passes, and one bad history per invariant does not. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Checker, checkHistory } from './checker.ts'
import type { FinalLine, HistoryLine, LogLine, Operation } from './history.ts'

type Line = Record<string, unknown> & { op: string }

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex')

/** Alice opens a conversation with Bob and a tablet of her own, Alice and Bob write, everybody reads and says so. */
function goodHistory(): Line[] {
  const offered = [
    { device: 'alice', op: 'commit', kind: 'commit', client_seq: 1, epoch: 0, name: 'adds' },
    { device: 'alice', op: 'send', kind: 'message', client_seq: 2, epoch: 1, name: 'hello', message_id: 'm1' },
    { device: 'bob', op: 'send', kind: 'message', client_seq: 1, epoch: 1, name: 'hi', message_id: 'm2' },
    { device: 'bob', op: 'commit', kind: 'commit', client_seq: 2, epoch: 1, name: 'updates' },
    { device: 'alice', op: 'send', kind: 'message', client_seq: 3, epoch: 2, name: 'bye', message_id: 'm3' },
  ]
  let t = 0
  let transcript = Buffer.alloc(32)
  const lines: Line[] = [{ op: 'join', phase: 'ok', device: 'alice', account: 'Alice', seq: 0 }]
  for (const [at, { name, kind: _, ...offer }] of offered.entries()) {
    const [seq, hash] = [at + 1, hashOf(name)]
    transcript = createHash('sha256').update('log').update(transcript).update(bigEndian(seq)).update(hash, 'hex').digest()
    lines.push({ ...offer, phase: 'invoke', hash }, { ...offer, phase: 'ok', hash, seq })
    if (seq === 1)
      lines.push({ op: 'join', phase: 'ok', device: 'tablet', account: 'Alice', seq }, { op: 'join', phase: 'ok', device: 'bob', seq })
    for (const device of seq === 1 ? ['alice'] : ['alice', 'tablet', 'bob']) {
      const read = { phase: 'ok', device, seq }
      const { message_id } = offer
      lines.push({ op: 'recv', ...read, hash, transcript: transcript.toString('hex'), ...(message_id !== undefined && { message_id }) })
      lines.push({ ...read, op: 'ack', phase: 'invoke' }, { ...read, op: 'ack' })
    }
  }
  for (const [at, { name, device, kind, client_seq, epoch }] of offered.entries())
    lines.push({ op: 'log', seq: at + 1, hash: hashOf(name), device, kind, client_seq, epoch })
  for (const device of ['alice', 'tablet', 'bob'])
    lines.push({ op: 'final', device, cursor: 5, from_seq: device === 'alice' ? 0 : 1, outbox: 0 })
  return lines.map((line) => (line.op === 'log' || line.op === 'final' ? line : { ...line, t: ++t, proc: 'test' }))
}

const bigEndian = (seq: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(seq))
  return bytes
}

const check = (lines: readonly Line[]) => checkHistory(Readable.from(lines.map((line) => JSON.stringify({ ...line, conv: 'c' }) + '\n')))

/** The first line that has these fields. */
function lineOf(lines: readonly Line[], wanted: Readonly<Record<string, unknown>>): Line {
  const found = lines.find((line) => Object.entries(wanted).every(([name, value]) => line[name] === value))
  if (!found) throw new Error('no such line')
  return found
}

const without = (lines: readonly Line[], wanted: Readonly<Record<string, unknown>>): Line[] => {
  const gone = lineOf(lines, wanted)
  return lines.filter((line) => line !== gone)
}

/** The good history with fields of one line changed. */
const changed = (wanted: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>): Line[] => {
  const lines = goodHistory()
  Object.assign(lineOf(lines, wanted), to)
  return lines
}

test('a good history has no violation, and everything in it is counted', async () => {
  const lines = goodHistory()
  expect(await check(lines)).toEqual({ lines: lines.length, acknowledged: 5, delivered: 13, violations: [] })
})

describe('a history that breaks', () => {
  const bad: Readonly<Record<string, () => Line[]>> = {
    'D-1, an accepted entry is not in the log': () => without(goodHistory(), { op: 'log', seq: 5 }),
    'D-1, an accepted entry stands elsewhere': () => changed({ op: 'send', phase: 'ok', seq: 3 }, { seq: 2 }),
    'D-1, a device was told of an entry that it never offered': () =>
      without(goodHistory(), { op: 'send', phase: 'invoke', seq: undefined }),
    'D-2, an entry that nobody offered': () => goodHistory().filter((line) => !(line.op === 'send' && line['message_id'] === 'm3')),
    'D-2, an entry under another sender': () => changed({ op: 'log', seq: 3 }, { device: 'tablet' }),
    'D-2, a refused entry is in the log': () => changed({ op: 'send', phase: 'ok', seq: 5 }, { phase: 'fail' }),
    'D-3, a gap in the log': () => without(goodHistory(), { op: 'log', seq: 2 }),
    'D-3, two entries with one number': () => changed({ op: 'log', seq: 4 }, { seq: 3 }),
    'D-4, a device skipped an entry': () => without(goodHistory(), { op: 'recv', device: 'bob', seq: 3 }),
    'D-4, a device was given other bytes': () => changed({ op: 'recv', device: 'bob', seq: 3 }, { hash: hashOf('forged') }),
    'D-4, a device kept an entry twice': () => {
      const lines = goodHistory()
      const at = lines.indexOf(lineOf(lines, { op: 'recv', device: 'bob', seq: 3 }))
      return lines.toSpliced(at, 0, { ...lines[at], op: 'recv' })
    },
    'D-5, a message is twice in the log': () => {
      const lines = goodHistory()
      for (const line of lines) if (line['message_id'] === 'm3') line['message_id'] = 'm1'
      return lines
    },
    'D-5, a device shows a message twice': () => changed({ op: 'recv', device: 'bob', seq: 5 }, { message_id: 'm1' }),
    'D-6, a counter was skipped': () => {
      const lines = goodHistory()
      for (const line of lines) if (line['client_seq'] === 3) line['client_seq'] = 4
      return lines
    },
    'D-6, a message was sealed twice in one epoch': () => {
      const lines = goodHistory()
      const first = lineOf(lines, { op: 'send', phase: 'invoke', message_id: 'm3' })
      return lines.toSpliced(lines.indexOf(first), 0, { ...first, hash: hashOf('sealed before') })
    },
    'D-7, what was offered after an acceptance stands before it': () =>
      changed({ op: 'send', phase: 'invoke', message_id: 'm2' }, { t: 1000 }),
    'D-8, two commits in one epoch': () => changed({ op: 'log', seq: 3 }, { kind: 'commit' }),
    'D-8, a message of an old epoch': () => changed({ op: 'log', seq: 5 }, { epoch: 1 }),
    'D-9, a cursor went back': () => changed({ op: 'ack', phase: 'ok', device: 'bob', seq: 5 }, { seq: 2 }),
    'D-9, a cursor past what the device kept': () => changed({ op: 'ack', phase: 'invoke', device: 'bob', seq: 4 }, { seq: 5 }),
    'D-9, a cursor past the head': () => changed({ op: 'final', device: 'bob' }, { cursor: 6 }),
    'D-9, a stored cursor is lost': () => changed({ op: 'final', device: 'bob' }, { cursor: 4 }),
    'D-10, an own other device misses a message': () => without(goodHistory(), { op: 'recv', device: 'tablet', seq: 5 }),
    'D-11, a device does not reach the head': () => changed({ op: 'final', device: 'tablet' }, { cursor: 3 }),
    'D-11, the last entry is not delivered': () => without(goodHistory(), { op: 'recv', device: 'bob', seq: 5 }),
    'D-12, two devices have different transcripts': () => changed({ op: 'recv', device: 'bob', seq: 4 }, { transcript: hashOf('other') }),
    'D-13, a device reads after it left': () => changed({ op: 'final', device: 'bob' }, { to_seq: 4 }),
    'D-13, a member cannot open an entry': () => changed({ op: 'recv', device: 'bob', seq: 5 }, { phase: 'fail' }),
    'D-20, an outbox is not empty at the end': () => changed({ op: 'final', device: 'bob' }, { outbox: 1 }),
  }
  for (const [name, history] of Object.entries(bad)) {
    const id = name.split(',')[0]
    test(`${name}, is named`, async () => {
      const { violations } = await check(history())
      expect(violations.map((violation) => violation.id)).toContain(id)
      expect(violations.find((violation) => violation.id === id)?.lines).not.toEqual([])
    })
  }
})

test('a fork that a device has shown is no violation', async () => {
  const lines = changed({ op: 'recv', device: 'bob', seq: 4 }, { transcript: hashOf('other') })
  const alarm = { op: 'alarm', phase: 'ok', device: 'bob', t: 99, proc: 'test' }
  expect((await check([...lines, alarm])).violations).toEqual([])
})

test('who leaves and comes back reads what is in its two times, and nothing between', async () => {
  const lines = goodHistory()
  const at = lines.indexOf(lineOf(lines, { op: 'recv', device: 'bob', seq: 3 }))
  const goes = [
    { op: 'leave', phase: 'ok', device: 'bob', seq: 2, t: 0, proc: 'test' },
    { op: 'join', phase: 'ok', device: 'bob', seq: 3, t: 0, proc: 'test' },
  ]
  const away = without(lines, { op: 'recv', device: 'bob', seq: 3 }).filter((line) => !(line.op === 'ack' && line['seq'] === 3))
  expect((await check(away.toSpliced(at, 0, ...goes))).violations).toEqual([])
  expect((await check(lines.toSpliced(at, 0, ...goes))).violations.map(({ id }) => id)).toContain('D-13')
})

test('who comes back at the end of the log has nothing to read and misses nothing', async () => {
  const lines = without(without(goodHistory(), { op: 'recv', device: 'bob', seq: 4 }), { op: 'recv', device: 'bob', seq: 5 })
  const acks = lines.filter((line) => line.op !== 'ack' || line['device'] !== 'bob')
  const back = { op: 'join', phase: 'ok', device: 'bob', seq: 5, t: 1000, proc: 'test' }
  const { violations } = await check(acks.toSpliced(acks.indexOf(lineOf(acks, { op: 'log' })), 0, back))
  expect(violations).toEqual([])
})

test('a hundred thousand lines are checked in a moment', () => {
  const checker = new Checker()
  const log: LogLine[] = []
  const finals: FinalLine[] = []
  const started = performance.now()
  const add = (line: HistoryLine): void => checker.add(JSON.parse(JSON.stringify(line)))
  for (let at = 0; at < 25_000; at++) {
    const seq = Math.floor(at / 10) + 1
    const [conv, hash] = [`c${at % 10}`, hashOf(`${at}`)]
    const common = { t: at, proc: 'test', device: 'alice', conv, message_id: `m${at}`, hash, epoch: 0 }
    const offer: Operation = { ...common, op: 'send', phase: 'invoke', client_seq: seq }
    for (const line of [offer, { ...offer, phase: 'ok', seq }] as const) add(line)
    add({ ...common, op: 'recv', phase: 'ok', device: 'bob', seq })
    log.push({ op: 'log', conv, seq, hash, device: 'alice', client_seq: seq, epoch: 0, kind: 'message' })
  }
  for (let at = 0; at < 10; at++) finals.push({ op: 'final', device: 'bob', conv: `c${at}`, cursor: 2500, from_seq: 0, outbox: 0 })
  for (const line of [...log, ...finals]) add(line)
  expect(checker.finish()).toEqual({ lines: 100_010, acknowledged: 25_000, delivered: 25_000, violations: [] })
  expect(performance.now() - started).toBeLessThan(10_000)
})
