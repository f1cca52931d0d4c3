/**
 * Checks that imports point one way (docs/house.md). Reads the import statements of every source file and refuses:
 * an arrow between packages that the table does not allow, a deep path into another package, a barrel import inside a
 * package, an import of a Node builtin where code must run in a browser, and ambient time or chance where it is injected.
 */
import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

interface Layer {
  /** Folder, with a slash at the end. */
  readonly at: string
  /** Workspace packages that may be imported, by specifier. */
  readonly may: readonly string[]
  /** And by tests, which play the other side. */
  readonly testsMay?: readonly string[]
  /** Node builtins allowed in files whose path matches. */
  readonly node: RegExp | 'everywhere'
  /** Files that may read the real clock or real randomness. */
  readonly ambient: RegExp | 'everywhere'
}

const layers: readonly Layer[] = [
  { at: 'packages/contract/', may: [], node: /never/, ambient: /never/ },
  { at: 'packages/mls/', may: [], node: /\/(walk|fuzz|second-opinion)/, ambient: /\/walk/ },
  {
    at: 'packages/sdk/',
    may: ['@tacit/contract', '@tacit/mls'],
    node: /\/(node|node-sqlite|clock\.node)\.ts$/,
    ambient: /\/surroundings\.ts$/,
  },
  {
    at: 'packages/server/',
    may: ['@tacit/contract', '@tacit/mls/public'],
    testsMay: ['@tacit/mls'],
    node: 'everywhere',
    ambient: /\/(clock|random|main)\.ts$/,
  },
  {
    at: 'packages/testbed/',
    may: ['@tacit/contract', '@tacit/mls', '@tacit/mls/public', '@tacit/sdk', '@tacit/sdk/node', '@tacit/server'],
    node: 'everywhere',
    ambient: 'everywhere',
  },
  {
    at: 'apps/web/',
    may: ['@tacit/sdk', '@tacit/sdk/browser', '@tacit/sdk/browser-worker'],
    node: /vite\.config|stories\//,
    ambient: 'everywhere',
  },
  { at: 'apps/cli/', may: ['@tacit/sdk', '@tacit/sdk/node'], node: 'everywhere', ambient: 'everywhere' },
]

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(?:type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g
const AMBIENT = /\b(Date\.now\(|Math\.random\(|new Date\(\)|performance\.now\()/

const root = resolve(import.meta.dirname, '..')
const problems = layers.flatMap((layer) => sources(layer).flatMap((file) => check(layer, file)))

for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'layers: every arrow points the right way' : `layers: ${problems.length} wrong arrows`)
process.exitCode = problems.length === 0 ? 0 : 1

function sources(layer: Layer): string[] {
  return globSync(`${layer.at}src/**/*.{ts,tsx}`, { cwd: root })
}

function check(layer: Layer, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const isTest = /\.test\.tsx?$|\.(test-support|story-worker)\.ts$|conformance/.test(file)
  const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
  const wrong = imports.flatMap((specifier) => judge({ layer, file, specifier, isTest }))
  const ambient = layer.ambient !== 'everywhere' && !isTest && !layer.ambient.test(file) && AMBIENT.exec(text)
  if (ambient) wrong.push(`${file}: reads ${ambient[1]} itself; clock and chance are injected`)
  return wrong
}

function judge({ layer, file, specifier, isTest }: { layer: Layer; file: string; specifier: string; isTest: boolean }): string[] {
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier))
    if (!target.startsWith(layer.at)) return [`${file}: reaches out of its package to ${target}`]
    if (/(^|\/)src\/index\.ts$/.test(target) && !isTest && !/\/src\/(index|node|browser|browser-worker)\.ts$/.test(file))
      return [`${file}: imports the package's front door from inside`]
    return []
  }
  const may = isTest ? [...layer.may, ...(layer.testsMay ?? [])] : layer.may
  if (specifier.startsWith('@tacit/') && !may.includes(specifier)) return [`${file}: may not import ${specifier}`]
  if (specifier.startsWith('node:') && !isTest && layer.node !== 'everywhere' && !layer.node.test(file))
    return [`${file}: must run in a browser, but imports ${specifier}`]
  return []
}
