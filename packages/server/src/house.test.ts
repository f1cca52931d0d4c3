import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Retention } from './delivery/retention.ts'
import { freePort, member, metricsOf, openTown, Person } from './cast.test-support.ts'
import { selfSigned } from './certificate.test-support.ts'
import { createLog } from './log.ts'
import { Sessions } from './sessions/sessions.ts'
import { newPlace, type TestPlace } from './storage/database.test-support.ts'

let folder: string
let place: TestPlace
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-house-'))
  place = await newPlace()
})
afterEach(async () => {
  await place.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** A server whose data outlives it. */
const openHere = () => openTown({ dataDir: folder, database: place.url })

describe('the data folder', () => {
  test('is all that the server needs: after a restart people are still signed in and can sign in', async () => {
    const first = await openHere()
    const alice = await member(first, 'alice')
    await first.close()
    const second = await openHere()
    expect((await second.request('/v1/me', { token: alice.token })).status).toBe(200)
    expect((await alice.person.signIn(second)).status).toBe(201)
    await second.close()
  })

  test('holds the secrets for its owner only', async () => {
    const town = await openHere()
    await town.close()
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).toSorted()).toEqual(['in-use', 'secrets.json', ...(place.url === '' ? ['tacit.sqlite'] : [])])
  })

  test('whose secrets are lost or broken stops the start with a sentence', async () => {
    const town = await openHere()
    await member(town, 'alice')
    await town.close()
    writeFileSync(join(folder, 'secrets.json'), '{')
    await expect(openHere()).rejects.toThrow('cannot be read')
    rmSync(join(folder, 'secrets.json'))
    await expect(openHere()).rejects.toThrow('secrets are missing')
    await expect(openHere()).rejects.toThrow('secrets are missing')
  })

  test('never holds a password, a token or a vault in clear', async () => {
    const town = await openHere()
    const alice = await member(town, 'alice')
    const wanted = [alice.person.password, alice.token, alice.tokens.refreshToken]
    const hits = () => readdirSync(folder).flatMap((file) => wanted.filter((text) => readFileSync(join(folder, file)).includes(text)))
    expect(hits()).toEqual([])
    await town.close()
    expect(hits()).toEqual([])
  })
})

test('the log tells what happened without a name, a token, an address or what was sent', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const town = await openTown({}, { log })
  const alice = await member(town, 'alice-canary')
  await alice.person.signIn(town, 'password-canary')
  await town.request('/v1/people/handle-canary', {
    token: alice.token,
    headers: { 'user-agent': 'agent-canary', 'x-real-ip': '198.51.100.7' },
  })
  await town.request('/v1/vault/parts/people', { method: 'PUT', token: alice.token, body: { version: 'body-canary' } })
  await town.request('/path-canary?query-canary=1')
  await town.close()
  const all = lines.join('')
  expect(all).toContain('"event":"request"')
  expect(all).not.toMatch(/canary|127\.0\.0\.1|::1|198\.51/)
  for (const secret of [alice.token, alice.person.account, alice.device, alice.tokens.session]) expect(all).not.toContain(secret)
})

test('a fault of ours is a 500 without its message, and the log has where it was but not what was sent', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'error', destination: { write: (line) => void lines.push(line) } })
  let broken = false
  const clock = {
    now: () => {
      if (broken) throw new Error('fault-canary')
      return Date.now()
    },
  }
  const town = await openTown({}, { log, clock })
  const alice = await member(town, 'alice')
  broken = true
  const { status, body } = await town.request('/v1/me', { token: alice.token })
  broken = false
  expect([status, body.name]).toEqual([500, 'internal'])
  expect(JSON.stringify(body) + lines.join('')).not.toContain('canary')
  expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ event: 'fault', requestId: body.requestId, where: 'accounts.me', error: 'Error' })
  await town.close()
})

test('metrics are on their own port, named by route, and off when the port is 0', async () => {
  const town = await openTown({ metricsPort: await freePort() })
  await town.request('/v1/server')
  const silent = await openTown()
  const text = await metricsOf(town)
  expect(text).toMatch(/tacit_http_requests_total\{route="system.describe",status="200"\} 1/)
  expect(silent.metricsPort).toBeUndefined()
  await Promise.all([town.close(), silent.close()])
})

test('readiness tells the load balancer by status and people by reason', async () => {
  const town = await openTown({ dataDir: folder, minFreeDiskMib: 1_000_000 })
  const ready = await town.request<{ reasons: string[] }>('/health/ready')
  expect([ready.status, ready.body.reasons]).toEqual([503, ['disk space is short']])
  expect((await town.request('/health/live')).status).toBe(200)
  const body = await (await Person.called('latecomer')).signUpBody(town)
  const refused = await town.request('/v1/accounts', { body })
  expect([refused.status, refused.body.name]).toEqual([507, 'storage_full'])
  await town.close()
})

test('with a certificate the server speaks HTTPS and asks browsers to stay with it', async () => {
  const { certificate, key } = selfSigned()
  writeFileSync(join(folder, 'cert.pem'), certificate)
  writeFileSync(join(folder, 'key.pem'), key)
  const town = await openTown({ tlsCertificate: join(folder, 'cert.pem'), tlsKey: join(folder, 'key.pem') })
  const port = new URL(town.url).port
  const request = get({ host: '127.0.0.1', port, path: '/v1/server', rejectUnauthorized: false, agent: false })
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  const { socket } = response
  expect(response.statusCode).toBe(200)
  expect(response.headers['strict-transport-security']).toContain('max-age=31536000')
  expect('getProtocol' in socket && typeof socket.getProtocol === 'function' && socket.getProtocol()).toBe('TLSv1.3')
  response.resume()
  await once(response, 'end')
  await town.close()
})

test('stopping lets a request that has begun finish, and refuses new ones', async () => {
  const town = await openTown({ drainSeconds: 10 })
  const alice = await member(town, 'alice')
  const body = JSON.stringify({ sharesPresence: true })
  const socket = connect(Number(new URL(town.url).port), '127.0.0.1')
  const lines = ['PATCH /v1/me HTTP/1.1', 'host: x', 'content-type: application/json', `authorization: Bearer ${alice.token}`]
  socket.write(`${[...lines, 'expect: 100-continue', `content-length: ${body.length}`].join('\r\n')}\r\n\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(first.toString()).toContain('100 Continue')
  const closed = town.close()
  await expect(fetch(town.url)).rejects.toThrow()
  socket.write(body)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toContain('200 OK')
  expect(answer.toString()).toContain('{"sharesPresence":true}')
  const answered = performance.now()
  await closed
  expect(performance.now() - answered).toBeLessThan(5000)
})

test('stopping does not wait longer than it should for a request that never ends', async () => {
  const town = await openTown({ drainSeconds: 0 })
  const socket = connect(Number(new URL(town.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'POST /v1/sessions/renew HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n',
  )
  await once(socket, 'data')
  await town.close()
})

describe('the program', () => {
  const running: ChildProcess[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })

  function start(environment: Record<string, string>) {
    const child = spawn(process.execPath, ['-C', 'tacit-source', join(import.meta.dirname, 'main.ts')], {
      env: { PATH: process.env['PATH'], TACIT_DATA_DIR: join(folder, 'data'), TACIT_PORT: '0', TACIT_METRICS_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.push(child)
    return child
  }

  async function urlOf(child: ChildProcess): Promise<string> {
    if (!child.stdout) throw new TypeError('expected output')
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Tacit is ready: (\S+)$/.exec(line)?.[1]
      if (url) return url
    }
    throw new Error('the server ended')
  }

  test('prints where it is, answers, and ends at SIGTERM after what was under way', async () => {
    const child = start({ TACIT_LOG_LEVEL: 'silent' })
    const url = await urlOf(child)
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('says in words what is wrong with its settings and ends with 1', async () => {
    const child = start({ TACIT_PORT: 'x', TACIT_LOG_LEVEL: 'y' })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [[code]] = await Promise.all([once(child, 'exit'), child.stderr && once(child.stderr, 'close')])
    expect(code).toBe(1)
    expect(said).toMatch(/2 problems:\n  - TACIT_PORT: .*\n  - TACIT_LOG_LEVEL: /)
  })

  test('says in words that its port is taken', async () => {
    const first = start({})
    const child = start({ TACIT_PORT: new URL(await urlOf(first)).port, TACIT_DATA_DIR: join(folder, 'other') })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [[code]] = await Promise.all([once(child, 'exit'), child.stderr && once(child.stderr, 'close')])
    expect([code, said]).toEqual([1, expect.stringContaining('choose another port with TACIT_PORT')])
  })

  test('refuses a data folder that another server uses', async () => {
    mkdirSync(join(folder, 'data'))
    const first = start({})
    await urlOf(first)
    const second = start({})
    let said = ''
    second.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [[code]] = await Promise.all([once(second, 'exit'), second.stderr && once(second.stderr, 'close')])
    expect([code, said]).toEqual([1, expect.stringContaining('is used by another server')])
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect(await urlOf(start({}))).toContain('http')
  })
})

test('what may be forgotten is looked for while the server runs', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const looked = vi.spyOn(Retention.prototype, 'run')
  const town = await openTown()
  vi.advanceTimersByTime(60_000)
  await expect.poll(() => looked.mock.calls.length).toBeGreaterThan(0)
  await town.close()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('the database is not closed before a round of housekeeping that had begun has ended', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const lines: string[] = []
  const log = createLog({ level: 'error', destination: { write: (line) => void lines.push(line) } })
  const town = await openTown({}, { log })
  const { sweep } = Sessions.prototype
  const slow = vi.spyOn(Sessions.prototype, 'sweep').mockImplementation(async function (this: Sessions) {
    // Longer than everything else takes to close.
    await pause(500)
    await sweep.call(this)
  })
  vi.advanceTimersByTime(30_000)
  expect(slow).toHaveBeenCalledOnce()
  await town.close()
  expect(slow).toHaveResolved()
  expect(lines).toEqual([])
  vi.useRealTimers()
  vi.restoreAllMocks()
})
