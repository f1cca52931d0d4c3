/** How much a browser loads of the MLS engine. */
import { gzipSync } from 'node:zlib'
import { build, type InlineConfig, type Plugin } from 'vite'

/** From the sources, as a browser would resolve them. */
export const SOURCE: InlineConfig = {
  configFile: false,
  logLevel: 'silent',
  resolve: { conditions: ['tacit-source', 'module', 'browser', 'production'] },
}

/** What Vite wraps around every `import()`, once per app, is none of the engine's: here it is left out. */
const withoutHelper: Plugin = {
  name: 'without-preload-helper',
  enforce: 'pre',
  load: (id) => (id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load()' : undefined),
}

/** Gzipped bytes of the engine as a browser with WebCrypto loads it: all that its module imports at once. */
export async function sizeOfEngine(): Promise<number> {
  const rolldownOptions = { input: 'packages/mls/src/group/engine.ts', preserveEntrySignatures: 'strict' as const }
  const plugins = [withoutHelper]
  const built = await build({ ...SOURCE, plugins, build: { write: false, target: 'es2024', modulePreload: false, rolldownOptions } })
  const [first] = [built].flat()
  const chunks = first && 'output' in first ? first.output.filter((file) => file.type === 'chunk') : []
  const wanted = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName))
  for (const name of wanted) for (const imported of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) wanted.add(imported)
  const code = chunks.filter(({ fileName }) => wanted.has(fileName)).map((chunk) => chunk.code)
  return gzipSync(code.join('\n'), { level: 9 }).length
}
