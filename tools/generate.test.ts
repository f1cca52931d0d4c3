import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { generatedFiles } from './generate.ts'

test.each(generatedFiles().map(({ path, content }) => [path, content]))('%s is current: npm run generate writes it', (path, content) => {
  expect(readFileSync(resolve(import.meta.dirname, '..', path), 'utf8')).toBe(content)
})
