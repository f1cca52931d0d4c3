/** How the web app is bundled: one page, one service worker with the list of everything it keeps for offline use. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig, type Plugin, type Rolldown } from 'vite'

const root = import.meta.dirname
const sourceMaps = process.env['TACIT_SOURCE_MAPS'] === '1'

interface PrecacheEntry {
  readonly url: string
  /** Null when the name already carries a hash of the content. */
  readonly revision: string | null
}

const digest = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex').slice(0, 16)

function publicFiles(folder = 'public'): PrecacheEntry[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ url: path.slice(join(root, folder).length), revision: digest(readFileSync(path)) }))
}

function builtFile(file: Rolldown.OutputChunk | Rolldown.OutputAsset): PrecacheEntry {
  const named = /-[\w-]{8,}\.\w+$/.test(file.fileName)
  return { url: `/${file.fileName}`, revision: named ? null : digest(file.type === 'chunk' ? file.code : file.source) }
}

/** Writes the list of built files into the service worker, where Workbox expects it. */
function precacheList(): Plugin {
  return {
    name: 'precache-list',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === 'sw')
        if (worker?.type !== 'chunk') return this.error('the service worker was not built')
        const built = Object.values(bundle).filter((file) => file !== worker && !file.fileName.endsWith('.map'))
        const list = JSON.stringify([...built.map(builtFile), ...publicFiles()])
        worker.code = worker.code.replace('self.__WB_MANIFEST', () => list)
      },
    },
  }
}

export default defineConfig({
  root,
  plugins: [react(), precacheList()],
  resolve: { conditions: ['tacit-source', ...defaultClientConditions] },
  worker: { format: 'es' },
  build: {
    target: 'es2024',
    cssTarget: ['chrome125', 'firefox128', 'safari18'],
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: sourceMaps,
    // A strict content policy has no room for inline anything.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { main: join(root, 'index.html'), sw: join(root, 'src/service-worker/sw.ts') },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
})
