import { expect, test } from 'vitest'
import { replacedSources } from '../hooks/replacements.ts'
import { mutants } from './catalogue.ts'

test('there are 24 mutants, each with a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(24)
})

test.each(mutants)('the words that "$name" replaces are there exactly once', ({ changes }) => {
  replacedSources(changes)
})
