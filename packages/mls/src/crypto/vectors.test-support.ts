/** Loads the official test vectors, which live beside the checkout and are not part of it. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadSuite } from './suite.ts'

const SOURCES = `mls/ from https://github.com/mlswg/mls-implementations (test-vectors), hpke-pq/ from https://github.com/hpkewg/hpke-pq`
let told = false

/** Says once per file of tests what is not proven, and what to do about it. */
const tell = (): void => {
  if (!told) console.warn(`The official test vectors are not at ../shared/vectors, and their tests are skipped. Get them there: ${SOURCES}`)
  told = true
}

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
      const vectors = JSON.parse(readFileSync(path, 'utf8')) as readonly T[]
      // An empty file would prove nothing.
      expect(vectors.length).toBeGreaterThan(0)
      await check(vectors)
    })
  } else if (process.env['CI']) {
    test(name, () => {
      throw new Error(`vector file ${file} is missing beside the checkout`)
    })
  } else {
    tell()
    test.skip(`${name} (no ../shared/vectors/${file})`, () => undefined)
  }
}
