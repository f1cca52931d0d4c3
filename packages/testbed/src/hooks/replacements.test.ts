import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { replacedSources, replacingProcess, type Replacement } from './replacements.ts'

const file = 'packages/testbed/src/hooks/replaced.test-support.ts'
const says: Replacement = { file, anchor: "const word: string = 'before'", text: "const word: string = 'after'" }

function run(replacements: readonly Replacement[]): string {
  const { environment, nodeArguments } = replacingProcess(replacements)
  const { stdout, stderr } = spawnSync(process.execPath, [...nodeArguments, file], {
    cwd: `${import.meta.dirname}/../../../..`,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  return stdout + stderr
}

test('a process is run with the words replaced, and types are still stripped', () => {
  expect(run([])).toBe('before\n')
  expect(run([says])).toBe('after\n')
})

test('several replacements in one file are all made', () => {
  expect(run([says, { file, anchor: 'console.log(word)', text: 'console.log(word, 2)' }])).toBe('after 2\n')
})

test('words that are not there exactly once are an error that names the file', () => {
  expect(() => replacedSources([{ ...says, anchor: 'nowhere' }])).toThrow(`${file} has 0 times, not once`)
  expect(() => replacedSources([{ ...says, anchor: 'word' }])).toThrow(`${file} has 2 times, not once`)
})
