import { AccountId, ConversationId, MessageId } from '@tacit/contract'
import { describe, expect, test } from 'vitest'
import { mintId, sha256 } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import type { ArchiveKeys } from './archive-keys.ts'
import { alarmOf, markOf, type Current } from './fetch.ts'
import { decodeHead, EMPTY_HEAD, encodeHead, entryOf, pastAfter, type Head, type SegmentEntry } from './head.ts'
import { readHistoryFile } from './history-file.ts'
import { historyPage } from './history-page.ts'
import { openPiece, sealPiece } from './sealed.ts'
import { decodeSegment, encodeSegment, type Segment } from './segment.ts'

const [alice, bob] = [mintId(random, AccountId), mintId(random, AccountId)]
const conversation = mintId(random, ConversationId)
const message = mintId(random, MessageId)

const segment: Segment = {
  people: [
    { account: alice, handle: 'Alice' },
    { account: bob, handle: 'Bob' },
  ],
  conversations: [{ conversation, kind: 'direct', title: '', peer: bob }],
  items: [
    { kind: 'notice', conversation, seq: 0, time: 1_700_000_000_000, detail: JSON.stringify({ kind: 'created', by: alice }) },
    {
      kind: 'message',
      conversation,
      seq: 2,
      time: 1_700_000_000_500,
      message,
      account: bob,
      text: 'Grüße, 世界',
      expires: 1_800_000_000_000,
    },
    { kind: 'forgotten', conversation, seq: 1, time: 1_699_999_999_000, message: mintId(random, MessageId) },
  ],
}

test('a segment is read as it was written, and anything else is none', () => {
  expect(decodeSegment(encodeSegment(segment))).toEqual(segment)
  const bytes = encodeSegment(segment)
  expect(decodeSegment(bytes.subarray(1))).toBeUndefined()
  expect(
    decodeSegment(encodeSegment({ ...segment, items: [{ ...segment.items[0], kind: 'notice', detail: '{"kind":"tampering"}' } as never] }))
      ?.items,
  ).toEqual([])
})

const entry = (number: number, through = number): SegmentEntry => ({
  number,
  through,
  revision: 1,
  generation: 1,
  hash: new Uint8Array(32).fill(number),
  size: 1024,
  items: 1,
  newest: number,
  expires: 0,
})

describe('a head', () => {
  test('is read as it was written, and finds a number in what was put together', () => {
    const head: Head = { on: true, next: 6, past: new Uint8Array(16), segments: [entry(1, 3), entry(4), entry(5)] }
    expect(decodeHead(encodeHead(head))).toEqual(head)
    expect(entryOf(head, 2)?.number).toBe(1)
    expect(entryOf(head, 6)).toBeUndefined()
  })

  test.each<[string, readonly SegmentEntry[]]>([
    ['leaves out a number', [entry(1), entry(3)]],
    ['has a number twice', [entry(1, 2), entry(2)]],
    ['ends before the next number', [entry(1)]],
    ['is in another order', [entry(2), entry(1)]],
  ])('that %s is none', (_what, segments) => {
    expect(decodeHead(encodeHead({ on: true, next: 4, past: new Uint8Array(), segments }))).toBeUndefined()
  })
})

const key = { generation: 3, key: random.bytes(32) }
const keys: ArchiveKeys = { newest: async () => key, of: async (generation) => (generation === 3 ? key : undefined) }

test('a sealed piece opens in its place only', async () => {
  const place = { kind: 'segment', account: alice, number: 4, revision: 2 } as const
  const sealed = await sealPiece({ place, key, bytes: new TextEncoder().encode('history'), random })
  expect(sealed.length).toBeLessThan(1024 + 64)
  expect((await openPiece({ place, keys, sealed })).kind).toBe('opened')
  for (const other of [
    { ...place, number: 5 },
    { ...place, revision: 1 },
    { ...place, account: bob },
    { kind: 'head', account: alice, version: 4 } as const,
  ])
    expect((await openPiece({ place: other, keys, sealed })).kind).toBe('damaged')
  expect((await openPiece({ place, keys: { ...keys, of: async () => undefined }, sealed })).kind).toBe('no_key')
})

/** A line of archives, each made on the one before. */
async function line(length: number, salt: string, from?: Current): Promise<Current[]> {
  const all: Current[] = from ? [from] : []
  while (all.length < length + (from ? 1 : 0)) {
    const before = all.at(-1)
    const head: Head = before ? { ...before.head, past: pastAfter(before.head, before.mark) } : EMPTY_HEAD
    const version = (before?.version ?? 0) + 1
    const mark = await markOf(await sha256(new TextEncoder().encode(`${salt} ${version}`)))
    all.push({ version, mark, head, used: 0, quota: 0 })
  }
  return all
}

describe('a device that has seen an archive', () => {
  const at = (all: readonly Current[], place: number): Current => {
    const one = all.at(place)
    if (!one) throw new Error('not made')
    return one
  }

  test('takes what was made on it, however the server came there', async () => {
    const all = await line(130, 'ours')
    for (const place of [0, 5, 128, -2, -1]) expect(alarmOf(at(all, place), at(all, -1))).toBeUndefined()
  })

  test('notices one that is older, one of the same age that is another, and one that was not made on it', async () => {
    const ours = await line(10, 'ours')
    const theirs = await line(10, 'theirs', at(ours, 4))
    expect(alarmOf(at(ours, 9), at(ours, 8))).toBe('rolled_back')
    expect(alarmOf(at(ours, 9), at(theirs, 5))).toBe('forked')
    expect(alarmOf(at(ours, 7), at(theirs, -1))).toBe('forked')
    expect(alarmOf(at(ours, 4), at(theirs, -1))).toBeUndefined()
  })
})

describe('a history file', () => {
  const content = {
    people: segment.people,
    conversations: [
      {
        conversation,
        kind: 'direct' as const,
        title: '',
        peer: bob,
        items: [{ kind: 'message' as const, seq: 2, time: 1_700_000_000_500, message, account: bob, text: 'see </script><b>you</b>' }],
      },
    ],
  }
  const made = async (change: object = {}) => {
    const checksum = Buffer.from(await sha256(new TextEncoder().encode(JSON.stringify(content)))).toString('base64url')
    return {
      format: 'tacit history',
      version: 1,
      account: alice,
      handle: 'Alice',
      exported: '2026-11-21T10:00:00.000Z',
      checksum,
      ...content,
      ...change,
    } as const
  }
  const words = { language: 'en', title: 'History', about: '', untitled: '', time: String, notice: () => '' }

  test('is read back from the page that a person can read, whatever is written in it', async () => {
    const page = historyPage((await made()) as Parameters<typeof historyPage>[0], words)
    expect(page).not.toContain('<b>you</b>')
    const read = await readHistoryFile(page, alice)
    expect(read).toMatchObject({ kind: 'history', segment: { items: [{ text: 'see </script><b>you</b>', account: bob, seq: 2 }] } })
  })

  test.each<[string, string, object]>([
    ['not_a_history', 'another format', { format: 'something else' }],
    ['too_new', 'a newer version', { version: 2 }],
    ['other_account', 'of somebody else', { account: bob }],
    ['damaged', 'with a changed word', { people: [] }],
  ])('is refused as %s: %s', async (why, _what, change) => {
    expect(await readHistoryFile(JSON.stringify(await made(change)), alice)).toEqual({ kind: 'refused', why })
  })

  test('that is no JSON is not a history', async () => {
    expect(await readHistoryFile('<html>', alice)).toEqual({ kind: 'refused', why: 'not_a_history' })
  })
})
