/**
 * Finds the browser that the browser tests use, or installs Debian's: `node tools/ensure-chromium.ts`.
 * $CHROMIUM names another one. Exits 1 with a sentence when there is none and none can be installed.
 */
import { findChromium } from './chromium.ts'
import { installFromDebian } from './debian.ts'

export function ensureChromium(): string | undefined {
  const packages = ['chromium', 'fonts-liberation', 'fonts-noto-color-emoji']
  return findChromium() ?? (installFromDebian('Chromium', packages) ? findChromium() : undefined)
}

if (import.meta.main) {
  const path = ensureChromium()
  console.log(
    path ? `Chromium: ${path}` : 'No Chromium was found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.',
  )
  process.exitCode = path ? 0 : 1
}
