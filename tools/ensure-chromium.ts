/**
 * Finds the browser that the browser tests use, or installs Debian's: `node tools/ensure-chromium.ts`.
 * $CHROMIUM names another one. Exits 1 with a sentence when there is none and none can be installed.
 */
import { spawnSync } from 'node:child_process'
import { findChromium } from './chromium.ts'

export function ensureChromium(): string | undefined {
  const found = findChromium()
  if (found || process.platform !== 'linux' || process.getuid?.() !== 0 || !works('apt-get', ['--version'])) return found
  console.log('Installing Chromium from Debian (apt-get install chromium fonts-liberation) ...')
  const quiet = {
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }
  spawnSync('apt-get', ['update', '-qq'], quiet)
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation', 'fonts-noto-color-emoji'], quiet)
  return findChromium()
}

const works = (program: string, args: readonly string[]): boolean => spawnSync(program, args, { stdio: 'ignore' }).status === 0

if (import.meta.main) {
  const path = ensureChromium()
  console.log(
    path ? `Chromium: ${path}` : 'No Chromium was found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.',
  )
  process.exitCode = path ? 0 : 1
}
