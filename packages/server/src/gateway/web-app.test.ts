import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTown, type Town } from '../cast.test-support.ts'
import { budgets } from './limits.ts'

let town: Town
let root: string
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tacit-web-'))
  mkdirSync(join(root, 'dist/assets'), { recursive: true })
  const files = {
    'secret.txt': 'not yours',
    'dist/index.html': '<!doctype html><title>Tacit</title>',
    'dist/sw.js': '// service worker',
    'dist/assets/app-3f9a2c.js': '// app',
    'dist/assets/db-77aa10.wasm': 'wasm',
    'dist/.hidden': 'not yours',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content)
  town = await openTown({ webRoot: join(root, 'dist') })
})
afterAll(async () => {
  await town.close()
  rmSync(root, { recursive: true })
})

const page = (path: string) => town.request<string>(path, { headers: { accept: 'text/html' } })

test.each(['/', '/index.html', '/sign-in', '/c/AAAAAAAAAAAAAAAAAAAAAA', '/settings/devices'])(
  '%s answers with the page, never cached',
  async (path) => {
    const { status, headers, body } = await page(path)
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-cache'])
    expect(headers.get('content-type')).toContain('text/html')
    expect(body).toContain('<title>Tacit</title>')
  },
)

test('files with a hash in their name are cached for ever, the service worker never', async () => {
  const cache = async (path: string) => (await page(path)).headers.get('cache-control')
  expect(await cache('/assets/app-3f9a2c.js')).toBe('public, max-age=31536000, immutable')
  expect(await cache('/sw.js')).toBe('no-cache')
  expect((await page('/assets/db-77aa10.wasm')).headers.get('content-type')).toBe('application/wasm')
})

test.each([
  '/assets/gone-123.js',
  '/favicon.ico',
  '/.hidden',
  '/..%2fsecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/v1/nothing',
  '/docs/nothing',
  '/metrics',
  '/assets',
])('%s is missing and says so', async (path) => {
  const { status, headers } = await page(path)
  expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8'])
})

describe('every answer', () => {
  test.each(['/', '/assets/app-3f9a2c.js', '/v1/server', '/v1/me', '/nothing.here', '/openapi.json'])(
    'of %s carries the strict policy',
    async (path) => {
      const { headers } = await page(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("require-trusted-types-for 'script'")
      expect(policy).not.toMatch(/'unsafe-(?:inline|eval)'|https?:|\*/)
      expect(
        Object.fromEntries(
          ['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'cross-origin-resource-policy'].map((name) => [
            name,
            headers.get(name),
          ]),
        ),
      ).toEqual({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
      expect([headers.get('x-powered-by'), headers.get('server'), headers.get('strict-transport-security')]).toEqual([null, null, null])
    },
  )
})

test('the API reference loads its viewer and the description from here', async () => {
  const reference = await page('/docs/api')
  expect(reference.status).toBe(200)
  expect(reference.headers.get('content-security-policy')).toContain("script-src 'self';")
  const sources = [...reference.body.matchAll(/(?:src|href|url)(?:=|&quot;:)(?:"|&quot;)([^"&]+)/g)].map(([, source]) => source)
  expect(sources).toEqual(['data:,', '/openapi.json', '/docs/api/viewer.js'])
  const viewer = await page('/docs/api/viewer.js')
  expect([viewer.status, viewer.body.length > 1_000_000]).toEqual([200, true])
  const description = await town.request<{ openapi: string }>('/openapi.json')
  expect(description.body.openapi).toBe('3.1.0')
})

test('without a built web app the API works and the page is missing', async () => {
  const bare = await openTown({ webRoot: join(root, 'nowhere') })
  expect((await bare.request('/')).status).toBe(404)
  expect((await bare.request('/v1/server')).status).toBe(200)
  await bare.close()
})

describe('a page that has begun to load is loaded whole', () => {
  test('while a server that is late refuses new work', async () => {
    let [elapsed, passes] = [0, 0]
    const late = await openTown({ webRoot: join(root, 'dist') }, { elapsed: () => (elapsed += passes) })
    const status = async (path: string): Promise<number> => (await late.request(path)).status
    passes = 2500
    await expect.poll(() => status('/v1/server')).toBe(503)
    const paths = ['/', '/settings/devices', '/sw.js', '/assets/app-3f9a2c.js', '/assets/gone-123.js']
    expect(await Promise.all(paths.map(status))).toEqual([200, 200, 200, 200, 404])
    expect(await Promise.all(['/v1/server', '/v1/nothing', '/docs/nothing', '/metrics'].map(status))).toEqual([503, 503, 503, 503])
    await late.close()
  })

  test('after the requests of its address are used up: files have a budget of their own', async () => {
    const tight = await openTown({ webRoot: join(root, 'dist'), limitsFactor: 1 })
    const status = async (path: string): Promise<number> => (await tight.request(path)).status
    for (let count = 0; count < budgets.request.points; count++) await status('/v1/nothing')
    expect([await status('/v1/server'), await status('/assets/app-3f9a2c.js'), await status('/')]).toEqual([429, 200, 200])
    await tight.close()
  })
})
