import { expect, test } from 'vitest'
import { de } from './de.ts'
import { en } from './en.ts'

type Tree = { readonly [key: string]: string | Tree }

const flat = (tree: Tree, path = ''): Map<string, string> =>
  new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${path}${key}`, value]] : [...flat(value, `${path}${key}.`)],
    ),
  )
const placeholders = (text: string) => new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]))

test('German says everything that English says, with the same things filled in', () => {
  const english = flat(en)
  const german = flat(de)
  expect([...german.keys()]).toEqual([...english.keys()])
  for (const [key, text] of english) expect(placeholders(german.get(key) ?? ''), key).toEqual(placeholders(text))
})

test('no text is empty and none has left-over space', () => {
  for (const [key, text] of [...flat(en), ...flat(de)]) expect(text.trim(), key).toBe(text === '' ? 'some text' : text)
})
