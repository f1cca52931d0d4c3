import { expect, test } from 'vitest'
import { createMlsEngine } from './group/engine.ts'
import { walk } from './walk.ts'

test('five hundred random commits in the classical suite keep every promise', { timeout: 240_000 }, async () => {
  const walked = await walk({ engine: await createMlsEngine({ suite: 1 }), seed: 11, commits: 500, members: 9 })
  expect(walked.commits).toBe(500)
  for (const count of [walked.adds, walked.removes, walked.externals, walked.references, walked.refused]) expect(count).toBeGreaterThan(20)
})

test('forty random commits in the hybrid suite keep every promise', { timeout: 120_000 }, async () => {
  const walked = await walk({ engine: await createMlsEngine(), seed: 12, commits: 40, members: 8 })
  expect(walked.commits).toBe(40)
})
