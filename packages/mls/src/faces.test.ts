/** What is documented where it is typed: every function of the three faces says what it does and which section it follows. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Tools that no RFC describes. */
const PLAIN = new Set(['equal', 'hex', 'MlsError'])

/** The comment that ends right before a declaration; undefined when there is none. */
const docOf = (source: string, declaration: RegExp): string | undefined => {
  const at = declaration.exec(source)?.index ?? -1
  const before = source.slice(0, Math.max(0, at)).trimEnd()
  return at >= 0 && before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : undefined
}

/** Names that a face exports as values, each with the file that declares it. */
const exportsOf = (face: string): { name: string; original: string; file: string }[] => {
  const source = readFileSync(join(here, face), 'utf8')
  const found = [...source.matchAll(/export \{([^}]*)\} from '([^']+)'/g)].flatMap(([, names = '', file = '']) =>
    names.split(',').map((each) => {
      const [original = '', name = original] = each.trim().split(' as ')
      return { name, original, file: join(here, dirname(face), file) }
    }),
  )
  const own = [...source.matchAll(/export const (\w+) = /g)].map(([, name = '']) => ({ name, original: name, file: join(here, face) }))
  return [...found, ...own]
}

test.each(['index.ts', 'public/index.ts', 'protocol/index.ts'])('every function of %s names the section that it follows', (face) => {
  const missing = exportsOf(face).filter(({ name, original, file }) => {
    const doc = docOf(readFileSync(file, 'utf8'), new RegExp(`^export (?:const|class|async function|function) ${original}\\b`, 'm'))
    return !PLAIN.has(name) && !/(?:RFC \d{4}|section \d|sections \d|draft-)/.test(doc ?? '')
  })
  expect(missing.map(({ name }) => name)).toEqual([])
})

test('every call of the port names the section that it follows', () => {
  const source = readFileSync(join(here, 'port.ts'), 'utf8')
  const engine = source.slice(source.indexOf('export interface MlsEngine'))
  const calls = [...engine.matchAll(/^ {2}(\w+)\(/gm)].map(([, name = '']) => name)
  expect(calls.length).toBeGreaterThan(12)
  const missing = calls.filter((name) => !/RFC \d{4}/.test(docOf(engine, new RegExp(`^ {2}${name}\\(`, 'm')) ?? ''))
  // How a group is kept on disk is no business of an RFC.
  expect(missing).toEqual(['snapshot', 'restore'])
})
