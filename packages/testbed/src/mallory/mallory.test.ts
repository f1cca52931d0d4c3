import { expect, test } from 'vitest'
import { replacedSources } from '../hooks/replacements.ts'
import { breaks } from './breaks.ts'
import { attacks } from './catalogue.ts'
import { isAsPromised } from './row.ts'
import { playAll } from './runs.ts'

test('each attack of the malicious server comes out as its verdict promises', { timeout: 300_000 }, async () => {
  const played = await playAll({ ids: attacks.map(({ id }) => id), seeds: [1, 1], transport: 'simulated' })
  const broken = played.filter(({ id, outcome }) => !attacks.some((row) => row.id === id && isAsPromised(row, outcome)))
  expect(broken).toEqual([])
  expect(played).toHaveLength(attacks.length)
})

test.each(breaks)('the words that are taken away for "$what" are there exactly once, and so are its rows', ({ ids, changes }) => {
  replacedSources(changes)
  expect(attacks.filter(({ id }) => ids.includes(id))).toHaveLength(ids.length)
})
