import { expect, test } from 'vitest'
import { checkImages } from './images.ts'
import { record } from './recording.ts'
import { readTrace, type Step } from './trace.ts'

test(
  'no power cut takes an answered message from a server that waits for the disk, and many do from one that does not',
  { timeout: 120_000 },
  async () => {
    const careful = checkImages(await record({ messages: 90 }), { images: 40, seed: 1 })
    expect(careful).toEqual({ images: 40, acknowledged: 90, violations: 0, says: [] })
    const careless = checkImages(await record({ messages: 90, careless: true }), { images: 40, seed: 1 })
    expect(careless.violations).toBeGreaterThan(10)
    expect(careless.says[0]).toMatch(/^D-1: cut after step \d+: /)
  },
)

test('a trace is read with its calls in the order of their ends, and its answers in that of their beginnings', async () => {
  async function* lines() {
    const wal = [...Buffer.from('/data/tacit.sqlite-wal')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
    yield `7  pwrite64(9<${wal}>, "\\x01\\x02\\x03", 3, 32 <unfinished ...>`
    yield `7  write(8<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\\x05", 1 <unfinished ...>`
    yield `8  fsync(9<${wal}>) = 0`
    yield '7  <... write resumed>) = 1'
    yield `8  ftruncate(9<${wal}>, 0) = 0`
    yield '9  futex(0x7f) = 0'
  }
  const steps: Step[] = []
  for await (const step of readTrace(lines())) steps.push(step)
  expect(steps).toEqual([
    { kind: 'said', bytes: Buffer.from([5]) },
    { kind: 'sync', file: 'tacit.sqlite-wal' },
    { kind: 'truncate', file: 'tacit.sqlite-wal', size: 0 },
  ])
})
