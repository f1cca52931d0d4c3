import { describe, expect, test } from 'vitest'
import { takeBatch } from './fair-batch.ts'

interface Piece {
  readonly owner?: string
  readonly what: string
  readonly size: number
}

const piece = (what: string, size = 1): Piece => ({ owner: what.replace(/\d+$/, ''), what, size })
const pieces = (owner: string, count: number, size = 1): Piece[] =>
  Array.from({ length: count }, (_, at) => piece(`${owner}${at + 1}`, size))

function take(queue: Piece[], bounds: { maxItems?: number; maxBytes?: number }): string[] {
  const batch = takeBatch(queue, { maxItems: 100, maxBytes: 100, ...bounds, ownerOf: ({ owner }) => owner, sizeOf: ({ size }) => size })
  return batch.map(({ what }) => what)
}

describe('a batch', () => {
  test('takes all that waits as it came, as long as there is room', () => {
    const queue = [...pieces('mallory', 3), ...pieces('alice', 2)]
    expect(take(queue, { maxItems: 5 })).toEqual(['mallory1', 'mallory2', 'mallory3', 'alice1', 'alice2'])
    expect(queue).toEqual([])
  })

  test('takes everybody’s first before anybody’s second, so who hands in much makes nobody else wait', () => {
    const queue = [...pieces('mallory', 6), ...pieces('alice', 2), ...pieces('bob', 1)]
    expect(take(queue, { maxItems: 4 })).toEqual(['mallory1', 'alice1', 'bob1', 'mallory2'])
    expect(take(queue, { maxItems: 4 })).toEqual(['mallory3', 'alice2', 'mallory4', 'mallory5'])
    expect(take(queue, { maxItems: 4 })).toEqual(['mallory6'])
  })

  test('that is full of bytes leaves to the next what does not fit, and takes what others have', () => {
    const queue = [...pieces('mallory', 3, 60), ...pieces('alice', 2, 10)]
    expect(take(queue, {})).toEqual(['mallory1', 'alice1', 'alice2'])
    expect(take(queue, {})).toEqual(['mallory2'])
    expect(take(queue, {})).toEqual(['mallory3'])
  })

  test('lets nothing overtake what its sender handed in before, however small it is', () => {
    const queue = [...pieces('mallory', 2, 60), piece('mallory3'), ...pieces('alice', 1, 10)]
    expect(take(queue, {})).toEqual(['mallory1', 'alice1'])
    expect(take(queue, {})).toEqual(['mallory2', 'mallory3'])
  })

  test('takes few large pieces where it takes many small ones, so that nobody waits long for somebody else’s', () => {
    const [large, room] = [60 * 1024, { maxItems: 1000, maxBytes: 4 * 1024 * 1024 }]
    const queue = [...pieces('mallory', 3, large), ...pieces('eve', 3, large), ...pieces('alice', 500, 4000)]
    const alices = pieces('alice', 500).map(({ what }) => what)
    expect(take(queue, room)).toEqual(['mallory1', 'eve1', ...alices])
    expect(take(queue, room)).toEqual(['mallory2', 'eve2'])
    expect(take(queue, room)).toEqual(['mallory3', 'eve3'])
  })

  test('takes one piece also when that is larger than a batch', () => {
    expect(take([piece('mallory1', 500), piece('alice1')], {})).toEqual(['mallory1'])
  })

  test('takes what is nobody’s first', () => {
    expect(take([...pieces('alice', 3), { what: 'cursors', size: 0 }], { maxItems: 2 })).toEqual(['alice1', 'cursors'])
  })
})
