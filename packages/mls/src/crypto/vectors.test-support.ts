/** Loads the official test vectors, which live beside the checkout and are not part of it. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { loadSuite } from './suite.ts'

const folder = fileURLToPath(new URL('../../../../../shared/vectors/', import.meta.url))

/**
 * Declares one test per vector file. Without the files the test is skipped with a word on how to get them, except in
 * continuous integration, where their absence is a failure.
 */
export const vectorTest = <T>(file: string, name: string, check: (vectors: readonly T[]) => Promise<void>, timeout = 60_000): void => {
  const path = `${folder}${file}`
  if (existsSync(path)) {
    test(name, { timeout }, async () => {
      await loadSuite(2)
      await check(JSON.parse(readFileSync(path, 'utf8')) as readonly T[])
    })
  } else if (process.env['CI']) {
    test(name, () => {
      throw new Error(`vector file ${file} is missing beside the checkout`)
    })
  } else {
    test.skip(`${name} (put mlswg/mls-implementations test-vectors at ../shared/vectors/${file})`, () => undefined)
  }
}
