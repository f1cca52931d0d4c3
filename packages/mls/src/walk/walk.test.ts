import { expect, test } from 'vitest'
import { HYBRID_SUITE } from '../crypto/suite.ts'
import { walk } from './walk.ts'

test('five hundred random commits of up to 12 members in the classical suite keep every promise', { timeout: 600_000 }, async () => {
  const walked = await walk({ suite: 1, seed: 11, commits: 500, members: 12 })
  expect(walked.commits).toBeGreaterThanOrEqual(500)
  for (const [kind, count] of Object.entries(walked.steps)) expect(count, kind).toBeGreaterThan(kind === 'reinit' ? 3 : 10)
  for (const count of [walked.locked, walked.messages.late, walked.messages.refused, walked.confirmed.commits, walked.confirmed.messages])
    expect(count).toBeGreaterThan(200)
})

test('forty random commits in the hybrid suite keep every promise', { timeout: 240_000 }, async () => {
  const walked = await walk({ suite: HYBRID_SUITE, seed: 12, commits: 40, members: 8 })
  expect(walked.commits).toBeGreaterThanOrEqual(40)
  expect(walked.confirmed.commits).toBeGreaterThan(10)
})
