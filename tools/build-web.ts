/**
 * Builds the web app into apps/web/dist, if anything it is made of has changed since the last time: `npm start` calls it
 * each time, and a second start should not wait. Beside every file that gets smaller lie its compressed forms, which the
 * server sends as they are.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = resolve(import.meta.dirname, '..')
const app = join(root, 'apps/web')
const dist = join(app, 'dist')
/** Names the inputs that the folder was built from. */
const SEAL = '.inputs'
/** Built beside and moved in whole: nobody sees half a build, and a failed one leaves the old one in place. */
const fresh = join(root, `node_modules/.web-app-${process.pid}`)

/** Everything that the result depends on. Tests and stories are not part of it. */
const INPUTS = [
  'apps/web/{index.html,package.json,tsconfig.json,vite.config.ts}',
  'apps/web/{public,src}/**/*',
  'packages/{contract,mls,sdk}/{package.json,src/**/*.ts}',
  'package-lock.json',
  'tools/build-web.ts',
]
const NOT_INPUTS = /\.test\.tsx?$|\/stories\/|\.test-support\.ts$/

const TEXT = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest', '.wasm'])

await main()

async function main(): Promise<void> {
  const started = performance.now()
  const inputs = hashOfInputs()
  if (readIfThere(join(dist, SEAL)) === inputs) {
    console.log('web app: up to date')
    return
  }
  const { build } = await import('vite')
  try {
    await build({ root: app, configFile: join(app, 'vite.config.ts'), logLevel: 'error', build: { outDir: fresh } })
    compress(fresh)
    writeFileSync(join(fresh, SEAL), inputs)
    rmSync(dist, { recursive: true, force: true })
    renameSync(fresh, dist)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  console.log(`web app: built in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

function hashOfInputs(): string {
  const hash = createHash('sha256')
  const files = INPUTS.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !NOT_INPUTS.test(file))
  for (const file of files.toSorted()) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function compress(folder: string): void {
  for (const name of globSync('**/*', { cwd: folder })) {
    if (!TEXT.has(extname(name))) continue
    const content = readFileSync(join(folder, name))
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
    const brotli = brotliCompressSync(content, { params: { [BROTLI_PARAM_QUALITY]: 10, [BROTLI_PARAM_SIZE_HINT]: content.length } })
    if (brotli.length >= content.length * 0.95) continue
    writeFileSync(join(folder, `${name}.br`), brotli)
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }))
  }
}
