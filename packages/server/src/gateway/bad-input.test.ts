/** Bad input over HTTP, by the ids of the threat model's list (B-001 to B-050): each gets a typed refusal and changes nothing. */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, Person, type Member, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'
import { head, sendRaw, type RawAnswer } from './raw-http.test-support.ts'

let town: Town
let alice: Member
let before: unknown
beforeAll(async () => {
  town = await openTown({ requestSeconds: 2 })
  alice = await member(town, 'alice')
  before = await stateOf(alice)
})
afterAll(async () => {
  expect(await stateOf(alice)).toEqual(before)
  await town.close()
})

/** What a request could have changed. */
async function stateOf(person: Member): Promise<unknown> {
  const paths = ['/v1/me', '/v1/vault', '/v1/key-packages', '/v1/conversations']
  return Promise.all(paths.map(async (path) => (await town.request(path, { token: person.token })).body))
}

const host = 'host: tacit.test'
const json = 'content-type: application/json'
const post = (...lines: string[]) => head('POST /v1/sessions/renew', host, json, ...lines)

type Case = readonly [id: string, what: string, status: number, name: string, send: () => Promise<Partial<RawAnswer> & { status: number }>]

const raw =
  (...parts: readonly (string | Uint8Array)[]) =>
  () =>
    sendRaw(town.url, ...parts)

/** A JSON body, sent as these bytes to a route that wants a refresh token. */
const body = (bytes: string | Uint8Array, ...lines: string[]) => {
  const content = Buffer.from(bytes)
  return raw(post(`content-length: ${content.length}`, ...lines), content)
}

/** A signed-in JSON request. */
const asAlice =
  (method: string, path: string, content?: unknown, headers: Record<string, string> = {}) =>
  async () => {
    const answer = await town.request(path, { method, token: alice.token, headers, ...(content !== undefined && { body: content }) })
    return { status: answer.status, name: answer.body.name }
  }

const token = () => 'A'.repeat(43)
const get = (target: string, ...lines: string[]) => raw(head(`GET ${target}`, host, ...lines))

const cases: readonly Case[] = [
  ['B-001', 'a body over the limit by its declared length', 413, 'too_large', raw(post('content-length: 2000000'))],
  [
    'B-002',
    'a chunked body that grows past the limit',
    413,
    'too_large',
    raw(post('transfer-encoding: chunked'), ...Array.from({ length: 20 }, () => `10000\r\n${'x'.repeat(0x10000)}\r\n`)),
  ],
  ['B-003', 'a length and chunks together', 400, 'malformed', raw(post('content-length: 2', 'transfer-encoding: chunked'), '{}')],
  ['B-004', 'two lengths', 400, 'malformed', raw(post('content-length: 2', 'content-length: 3'), '{}')],
  ['B-005', 'a header block over 16 KiB', 431, 'headers_too_large', get('/v1/server', `x-long: ${'x'.repeat(17_000)}`)],
  ['B-005', 'more than 100 headers', 431, 'headers_too_large', get('/v1/server', ...Array.from({ length: 100 }, (_, at) => `x-${at}: 1`))],
  ['B-006', 'a URL over 4 KiB', 414, 'uri_too_long', get(`/v1/people/${'x'.repeat(4100)}`)],
  ['B-007', 'headers that do not end', 408, 'timed_out', raw('GET /v1/server HTTP/1.1\r\nhost: tacit.test\r\nx-slow: ')],
  ['B-008', 'a body that does not end', 408, 'timed_out', raw(post('content-length: 100'), '{"refresh')],
  ['B-009', 'invalid UTF-8', 400, 'malformed', body(new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]))],
  ['B-010', 'JSON nested 10,000 deep', 400, 'malformed', body('['.repeat(10_000) + ']'.repeat(10_000))],
  ['B-010', 'JSON nested 17 deep', 400, 'malformed', body('['.repeat(17) + ']'.repeat(17))],
  ['B-011', '__proto__ as a key', 400, 'malformed', body(`{"refreshToken":"${token()}","__proto__":{"admin":true}}`)],
  ['B-011', 'constructor.prototype as keys', 400, 'malformed', body(`{"refreshToken":"${token()}","constructor":{"prototype":{"x":1}}}`)],
  ['B-012', 'a key twice', 400, 'malformed', body(`{"refreshToken":"${token()}","refreshToken":"${token()}"}`)],
  ['B-012', 'a key twice, once in escapes', 400, 'malformed', body(`{"refreshToken":"${token()}","\\u0072efreshToken":"${token()}"}`)],
  ...['1e999', '-0', '9007199254740993', 'NaN', '01', '"2"', '1.5', '-1'].map((number): Case => [
    'B-013',
    `the number ${number}`,
    400,
    'malformed',
    () => sendVault(`{"version":${number},"bytes":"AAAA"}`),
  ]),
  ['B-014', 'a number where a token belongs', 400, 'malformed', body('{"refreshToken":1}')],
  ['B-014', 'an array where an object belongs', 400, 'malformed', body('[]')],
  ['B-014', 'null', 400, 'malformed', body('null')],
  ['B-014', 'nothing', 400, 'malformed', body('')],
  ['B-014', 'an id of the wrong length', 400, 'malformed', asAlice('DELETE', '/v1/sessions/short')],
  ['B-015', 'a field that nobody asked for', 400, 'malformed', body(`{"refreshToken":"${token()}","role":"admin"}`)],
  ['B-015', 'a field too many on my settings', 400, 'malformed', asAlice('PATCH', '/v1/me', { sharesPresence: true, handle: 'root' })],
  ['B-016', 'a compressed body', 415, 'unsupported_media', body(gzipSync(Buffer.alloc(100_000)), 'content-encoding: gzip')],
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx'].map((type): Case => [
    'B-017',
    `a body of type ${type}`,
    415,
    'unsupported_media',
    raw(head('POST /v1/sessions/renew', host, `content-type: ${type}`, 'content-length: 2'), '{}'),
  ]),
  ['B-017', 'a body without a type', 415, 'unsupported_media', raw(head('POST /v1/sessions/renew', host, 'content-length: 2'), '{}')],
  ['B-018', 'a request of another website', 403, 'origin_refused', body('{}', 'origin: https://evil.example', 'cookie: session=1')],
  ['B-018', 'a request of a page without an origin', 403, 'origin_refused', body('{}', 'origin: null')],
  ['B-021', 'an absolute request target', 421, 'misdirected', get('http://tacit.test/v1/server')],
  ['B-022', 'TRACE', 405, 'method_not_allowed', raw(head('TRACE /v1/server', host))],
  ['B-022', 'a method that does not exist', 405, 'method_not_allowed', raw(head('BREW /v1/server', host))],
  ['B-022', 'a method that the route does not have', 405, 'method_not_allowed', asAlice('DELETE', '/v1/vault')],
  ...[
    '/v1/..%2f..%2fetc/passwd',
    '/assets/..%2f..%2fpackage.json',
    '/%00',
    '//v1/server',
    '/v1//server',
    '/V1/server',
    '/v1/server/',
    '/%c0%ae%c0%ae/x',
    '/.env',
    '/%zz',
    '/..',
  ].map((path): Case => ['B-023', `the path ${path}`, 404, 'not_found', get(path)]),
  ['B-024', 'a parameter twice', 400, 'malformed', asAlice('GET', '/v1/conversations?limit=1&limit=100')],
  ['B-024', 'a parameter that does not exist', 400, 'malformed', asAlice('GET', '/v1/me?admin=1')],
  ...['-1', '0', '2147483648', '1.5', '', 'x', '101'].map((limit): Case => [
    'B-025',
    `the limit ${limit}`,
    400,
    'malformed',
    asAlice('GET', `/v1/conversations?limit=${limit}`),
  ]),
  ['B-027', 'a negative position', 400, 'malformed', asAlice('GET', `/v1/conversations/${systemRandom.id()}/entries?after=-1`)],
  ['B-032', 'a token in the URL', 400, 'token_in_url', get(`/v1/me?access_token=${token()}`)],
  ['B-032', 'a token in the URL under another name', 400, 'token_in_url', get(`/?x=${token()}`)],
  ['B-050', 'metrics on the public port', 404, 'not_found', get('/metrics')],
]

function sendVault(content: string): Promise<RawAnswer> {
  return sendRaw(
    town.url,
    head('PUT /v1/vault/parts/people', host, json, `authorization: Bearer ${alice.token}`, `content-length: ${content.length}`),
    content,
  )
}

test.each(cases)('%s %s is refused with %d %s', async (_id, _what, status, name, send) => {
  const answer = await send()
  expect([answer.status, answer.name]).toEqual([status, name])
  if (answer.text !== undefined) {
    expect(answer.text).toMatch(/content-type: application\/problem\+json/i)
    expect(answer.text).toMatch(/x-request-id: [A-Za-z0-9_-]{22}/i)
  }
  expect((await town.request('/health/live')).status).toBe(200)
})

test('B-001 to B-004 close the connection, so what follows cannot be taken for a request', async () => {
  for (const [id, , , , send] of cases) if (/B-00[1-4]/.test(id)) expect((await send()).closed).toBe(true)
})

test('an answer quotes nothing of the request', async () => {
  const marker = 'MARKER-7f3a'
  const answers = await Promise.all([
    sendRaw(town.url, post(`content-length: ${marker.length + 2}`), `"${marker}"`),
    sendRaw(town.url, head(`GET /v1/people/${marker}`, host)),
    sendRaw(town.url, head(`GET /${marker}?${marker}=${marker}`, host, `x-request-id: ${marker}`)),
  ])
  for (const { text } of answers) expect(text).not.toContain(marker)
})

test('B-019 a page of another website is not given leave by a preflight, an allowed one is', async () => {
  const careful = await openTown({ allowedOrigins: ['https://friend.example'] })
  const preflight = async (origin: string) => {
    const { headers } = await careful.request('/v1/vault/parts/people', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' },
    })
    return headers.get('access-control-allow-origin')
  }
  expect(await preflight('https://evil.example')).toBeNull()
  expect(await preflight('https://friend.example')).toBe('https://friend.example')
  expect(await preflight(`http://localhost:${new URL(careful.url).port}`)).not.toBeNull()
  const allowed = await careful.request('/v1/server', { headers: { origin: 'https://friend.example' } })
  expect([allowed.status, allowed.headers.get('access-control-allow-credentials')]).toEqual([200, null])
  await careful.close()
})

test('B-021 with a public URL, requests for other hosts are refused, but probes of the health are answered', async () => {
  const known = await openTown({ publicUrl: 'https://chat.example.org' })
  const answer = (target: string, name: string) => sendRaw(known.url, head(`GET ${target}`, `host: ${name}`))
  expect((await answer('/v1/server', 'chat.example.org')).status).toBe(200)
  expect((await answer('/v1/server', 'evil.example')).name).toBe('misdirected')
  expect((await answer('/health/live', '10.0.0.7:8420')).status).toBe(200)
  await known.close()
})

describe('with the limits of a public server', () => {
  test('B-020 a made-up X-Forwarded-For does not buy a fresh budget', async () => {
    const strict = await openTown({ limitsFactor: 1 })
    const statuses: number[] = []
    for (let count = 0; count < 31; count++) {
      const { status } = await strict.request('/v1/accounts/password/start', {
        headers: { 'x-forwarded-for': `203.0.113.${count}` },
        body: { account: systemRandom.id(), handle: `someone${count}`, registrationRequest: 'AAAA' },
      })
      statuses.push(status)
    }
    expect(statuses).toEqual([...Array.from({ length: 30 }, () => 400), 429])
    await strict.close()
  })

  test('B-036 the sixth try on one account within a minute waits, and so does the 21st of one address', async () => {
    const strict = await openTown({ limitsFactor: 1 })
    const bob = await Person.called('bob')
    await bob.signUp(strict)
    for (let count = 0; count < 5; count++) expect((await bob.signIn(strict, 'wrong')).status).toBe(401)
    const sixth = await strict.request('/v1/sessions/password/start', { body: { handle: 'BOB', startLoginRequest: 'AAAA' } })
    expect([sixth.status, sixth.body.name]).toEqual([429, 'rate_limited'])
    expect(Number(sixth.headers.get('retry-after'))).toBe(sixth.body.details?.retryAfter)
    const others: number[] = []
    for (let count = 0; count < 15; count++) {
      const other = { handle: `other${count}`, startLoginRequest: 'AAAA' }
      others.push((await strict.request('/v1/sessions/password/start', { body: other })).status)
    }
    expect(others).toEqual([...Array.from({ length: 14 }, () => 400), 429])
    await strict.close()
  })

  test('handle look-ups and claims of key packages have budgets of their own', async () => {
    const strict = await openTown({ limitsFactor: 1 })
    const [carol, dora] = [await member(strict, 'carol'), await member(strict, 'dora')]
    const looks = await Promise.all(Array.from({ length: 101 }, () => strict.request('/v1/people/dora', { token: carol.token })))
    expect(looks.filter(({ status }) => status === 200).length).toBe(100)
    const wanted = { account: dora.person.account, devices: [dora.device] }
    const claims = await Promise.all(
      Array.from({ length: 7 }, () => strict.request('/v1/key-packages/claim', { token: carol.token, body: wanted })),
    )
    expect(claims.filter(({ status }) => status === 200).length).toBe(6)
    await strict.close()
  })
})
