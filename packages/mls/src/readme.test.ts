import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

test('the example of the README is the one that is compiled, and it runs', async () => {
  const [, ...lines] = read('./readme-example.test-support.ts').trimEnd().split('\n')
  const example = lines.join('\n').replaceAll("'./index.ts'", "'@tacit/mls'")
  expect(read('../README.md')).toContain(`\`\`\`ts\n${example}\n\`\`\``)
  const ran = await import('./readme-example.test-support.ts')
  expect(ran.read).toBe('hello')
  expect(ran.agreed).toBe(true)
})
