/** Runs a script in a page of Chromium that is served on loopback; undefined where there is no Chromium. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium } from 'playwright'
import { build } from 'vite'
import { chromiumArgs, findChromium } from '../tools/chromium.ts'
import { SOURCE } from './mls-size.ts'

/** `entry` puts a function called `name` on the page, which gets `given` and whose result must be plain data. */
export async function inChromium<T>({ entry, name, given }: { entry: string; name: string; given: unknown }): Promise<T | undefined> {
  const executablePath = findChromium()
  if (!executablePath) return undefined
  const script = await bundle(entry)
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><title>bench</title><script type="module" src="/bench.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath, args: [...chromiumArgs] })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction(`typeof ${name} === "function"`)
    return await page.evaluate<T>(`${name}(${JSON.stringify(given)})`)
  } finally {
    await browser.close()
    server.close()
  }
}

/** One script for the page; what it may load later is folded in. */
async function bundle(entry: string): Promise<string> {
  const rolldownOptions = { input: entry, output: { codeSplitting: false } }
  const built = await build({ ...SOURCE, build: { write: false, target: 'es2024', modulePreload: false, rolldownOptions } })
  const [first] = [built].flat()
  const chunk = first && 'output' in first ? first.output[0] : undefined
  if (!chunk) throw new Error('nothing was built')
  return chunk.code
}
