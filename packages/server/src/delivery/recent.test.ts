import { ConversationId, DeviceId } from '@tacit/contract'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import type { PageRequest } from './pages.ts'
import { Recent, type RecentEntry } from './recent.ts'

const conversation = ConversationId.parse(systemRandom.id())
const other = ConversationId.parse(systemRandom.id())
const device = DeviceId.parse(systemRandom.id())

/** Its counter is its position. */
const entry = (seq: number, { epoch = 1, size = 100, of = conversation } = {}): RecentEntry => ({
  conversation: of,
  epoch,
  kind: 'message',
  sender: device,
  clientSeq: seq,
  time: 0,
  bytes: new Uint8Array(size),
})

const request = (after: number, more: Partial<PageRequest> = {}): PageRequest => ({
  conversation,
  device,
  after,
  goal: 100,
  memberIn: 1,
  limit: 128,
  bytes: 100_000,
  atLeastOne: true,
  ...more,
})

function recentWith(...entries: RecentEntry[]): Recent {
  const recent = new Recent({ served: 200, bytes: 1000 })
  for (const one of entries) recent.add(one, one.clientSeq)
  return recent
}

/** Where the page ends, or why there is none. */
function endOf(recent: Recent, asked: PageRequest): number | string {
  const outcome = recent.page(asked)
  if (outcome?.kind === 'page') return outcome.end
  return outcome?.kind ?? 'ask the store'
}

describe('the newest entries of a log', () => {
  test('are given to whoever stands where they begin or later, and to nobody who lacks an older one', () => {
    const recent = recentWith(entry(5), entry(6), entry(7))
    expect([3, 4, 6, 7].map((after) => endOf(recent, request(after)))).toEqual(['ask the store', 7, 7, 'ask the store'])
  })

  test('all who ask for the same are given the same bytes', () => {
    const recent = recentWith(entry(5))
    expect(recent.page(request(4))).toBe(recent.page(request(4)))
  })

  test('begin anew after one that was accepted elsewhere', () => {
    const recent = recentWith(entry(5), entry(7))
    expect([endOf(recent, request(4)), endOf(recent, request(6))]).toEqual(['ask the store', 7])
    recent.add(entry(6), 6)
    expect(endOf(recent, request(5))).toBe('ask the store')
  })

  test('D-13: the store is asked about a member as soon as there is an entry of a later epoch than it has answered for', () => {
    const recent = recentWith(entry(5), entry(6, { epoch: 2 }))
    expect([1, 2].map((memberIn) => endOf(recent, request(4, { memberIn })))).toEqual(['ask the store', 6])
  })

  test('a page takes no more room than there is', () => {
    const recent = recentWith(entry(5), entry(6), entry(7))
    expect(endOf(recent, request(4, { bytes: 250 }))).toBe(6)
    expect(endOf(recent, request(4, { bytes: 50 }))).toBe(5)
    expect(endOf(recent, request(4, { bytes: 50, atLeastOne: false }))).toBe('no_room')
  })

  test('stay until everybody was given them and as much again has come', () => {
    const recent = recentWith(entry(5), entry(6))
    recent.served()
    recent.add(entry(7), 7)
    recent.served()
    expect(endOf(recent, request(4))).toBe(7)
    recent.add(entry(8), 8)
    recent.served()
    // Of a log that grows, those of the generation before; one that does not grow is still there.
    recent.add(entry(1, { of: other }), 1)
    recent.add(entry(9), 9)
    expect([5, 6].map((after) => endOf(recent, request(after)))).toEqual(['ask the store', 9])
    recent.add(entry(2, { of: other }), 2)
    recent.served()
    expect(endOf(recent, request(0, { conversation: other }))).toBe(2)
  })

  test('are bounded also while nobody is there to be given them', () => {
    const recent = recentWith(entry(5, { size: 999 }), entry(1, { of: other, size: 1 }), entry(6, { size: 1000 }))
    expect([4, 5].map((after) => endOf(recent, request(after)))).toEqual([6, 6])
    expect(endOf(recent, request(0, { conversation: other }))).toBe('ask the store')
    recent.add(entry(7), 7)
    expect([4, 5].map((after) => endOf(recent, request(after)))).toEqual(['ask the store', 7])
  })

  test('what is forgotten is not given', () => {
    const recent = recentWith(entry(5))
    recent.clear()
    expect(endOf(recent, request(4))).toBe('ask the store')
  })
})
