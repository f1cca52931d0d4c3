import { expect, test } from 'vitest'
import { replacedSources } from '../hooks/replacements.ts'
import { asReplacement, deathPoints } from './death-points.ts'

test('the lines beside which the server is made to die are there, each once', () => {
  for (const point of deathPoints) expect(() => replacedSources([asReplacement(point)]), point.name).not.toThrow()
})
