/**
 * Who may do what: every route and every socket command of the contract, tried by people it is not for, on things that are
 * not theirs. The rows are keyed by the contract's own names, so a new route or command without a row does not compile,
 * and the answers are compared with those for things that do not exist.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandNames, ConversationId, routes, type BodyOf, type CommandName, type Routes, type RouteSpec } from '@tacit/contract'
import { startServerProcess, type ServerProcess } from './server-process.ts'
import { ask, opaqueMessage, randomId, signInOnWire, signUpOnWire, WireSocket, type WireAnswer, type WireDevice } from './wire-device.ts'
import { commitOnWire, newWireGroup, openOnWire } from './wire-group.ts'

type RouteName = { [Room in keyof Routes]: `${Room}.${keyof Routes[Room] & string}` }[keyof Routes]

/** Ids of things that exist and belong to Alice, or of things that do not exist. */
interface Things {
  readonly account: string
  readonly conversation: string
  readonly session: string
  readonly handle: string
}

interface Request {
  readonly path: string
  readonly body?: unknown
}

/** open: for anybody, by design · own: speaks only of the caller's own things · others: names a thing that may be somebody else's. */
type Row =
  | { readonly kind: 'open'; readonly why: string }
  | { readonly kind: 'own'; readonly request: Request }
  | { readonly kind: 'others'; readonly request: (things: Things) => Request }

const some = 'AAAA'
const keys = { oneTime: [some] }

const routeRows: Record<RouteName, Row> = {
  'system.describe': { kind: 'open', why: 'what a client must know before it signs in' },
  'system.live': { kind: 'open', why: 'asked by the machine that runs it' },
  'system.ready': { kind: 'open', why: 'asked by the machine that runs it' },
  'accounts.startPasswordSignUp': { kind: 'open', why: 'nobody has an account yet' },
  'accounts.startPasskeySignUp': { kind: 'open', why: 'nobody has an account yet' },
  'accounts.signUp': { kind: 'open', why: 'nobody has an account yet' },
  'sessions.startPasswordSignIn': { kind: 'open', why: 'the way in' },
  'sessions.finishPasswordSignIn': { kind: 'open', why: 'the way in' },
  'sessions.startPasskeySignIn': { kind: 'open', why: 'the way in' },
  'sessions.finishPasskeySignIn': { kind: 'open', why: 'the way in' },
  'sessions.renew': { kind: 'open', why: 'the refresh token is the credential' },
  'accounts.lookUp': { kind: 'own', request: { path: '/v1/people/nobody-of-that-name' } },
  'accounts.me': { kind: 'own', request: { path: '/v1/me' } },
  'accounts.changeMe': { kind: 'own', request: { path: '/v1/me', body: { sharesPresence: false } } },
  'sessions.list': { kind: 'own', request: { path: '/v1/sessions' } },
  'sessions.signOut': { kind: 'own', request: { path: '/v1/sessions/current' } },
  'sessions.revoke': { kind: 'others', request: ({ session }) => ({ path: `/v1/sessions/${session}` }) },
  'securityEvents.list': { kind: 'own', request: { path: '/v1/security-events' } },
  'vault.fetch': { kind: 'own', request: { path: '/v1/vault' } },
  'unlocks.startPassword': { kind: 'own', request: { path: '/v1/unlocks/password', body: { registrationRequest: some } } },
  'unlocks.startPasskey': { kind: 'own', request: { path: '/v1/unlocks/passkey', body: {} } },
  'unlocks.put': {
    kind: 'own',
    request: {
      path: '/v1/unlocks',
      body: {
        method: { kind: 'password', registrationRecord: some },
        unlock: { id: randomId(), kind: 'password', wrappedKey: some },
        keys: { generation: 1, version: 2, bytes: some },
      },
    },
  },
  'unlocks.remove': {
    kind: 'own',
    request: { path: `/v1/unlocks/${randomId()}/removal`, body: { keys: { generation: 1, version: 2, bytes: some } } },
  },
  'accounts.reset': {
    kind: 'own',
    request: {
      path: '/v1/me/reset',
      body: {
        accountKey: 'A'.repeat(43),
        method: { kind: 'password', registrationRecord: some },
        enrolment: { device: randomId(), deviceList: some, keys },
        vault: some,
        unlock: { id: randomId(), kind: 'password', wrappedKey: some },
      },
    },
  },
  'sessions.startKitSignIn': { kind: 'open', why: 'signing in' },
  'sessions.finishKitSignIn': { kind: 'open', why: 'signing in' },
  'sessions.recover': { kind: 'open', why: 'signing in with a code from the operator' },
  'vault.heads': { kind: 'own', request: { path: '/v1/vault/heads' } },
  'vault.part': { kind: 'own', request: { path: '/v1/vault/parts/keys' } },
  'vault.replace': { kind: 'own', request: { path: '/v1/vault/parts/people', body: { generation: 1, version: 1, bytes: some } } },
  'vault.rotate': {
    kind: 'own',
    request: {
      path: '/v1/vault/rotations',
      body: {
        generation: 2,
        parts: [{ part: 'keys', version: 2, bytes: some }],
        unlocks: [{ id: randomId(), kind: 'kit', wrappedKey: some }],
      },
    },
  },
  'archive.head': { kind: 'own', request: { path: '/v1/archive' } },
  'archive.segment': { kind: 'own', request: { path: '/v1/archive/segments/1' } },
  'archive.write': { kind: 'own', request: { path: '/v1/archive', body: { version: 1, head: some, put: [], drop: [], clear: false } } },
  'devices.enrol': { kind: 'own', request: { path: '/v1/devices', body: { device: randomId(), deviceList: some, keys } } },
  'devices.list': { kind: 'others', request: ({ account }) => ({ path: `/v1/accounts/${account}/device-list` }) },
  'devices.replaceList': { kind: 'own', request: { path: '/v1/device-list', body: { deviceList: some } } },
  'devices.offerListAgain': { kind: 'own', request: { path: '/v1/device-list/again', body: { deviceList: some, proof: some } } },
  'keys.publish': { kind: 'own', request: { path: '/v1/key-packages', body: keys } },
  'keys.count': { kind: 'own', request: { path: '/v1/key-packages' } },
  // Whoever knows an account id (learned by exact handle) may invite it, so this one is tried with a device that is nobody's.
  'keys.claim': { kind: 'own', request: { path: '/v1/key-packages/claim', body: { account: randomId(), devices: [randomId()] } } },
  'conversations.create': {
    kind: 'own',
    request: { path: '/v1/conversations', body: { conversation: randomId(), kind: 'group', groupInfo: some, ratchetTree: some } },
  },
  'conversations.list': { kind: 'own', request: { path: '/v1/conversations' } },
  'conversations.show': { kind: 'others', request: ({ conversation }) => ({ path: `/v1/conversations/${conversation}` }) },
  'conversations.groupInfo': { kind: 'others', request: ({ conversation }) => ({ path: `/v1/conversations/${conversation}/group-info` }) },
  'conversations.tree': { kind: 'others', request: ({ conversation }) => ({ path: `/v1/conversations/${conversation}/tree?epoch=0` }) },
  'disclosure.overview': { kind: 'own', request: { path: '/v1/me/held' } },
  'disclosure.rows': { kind: 'own', request: { path: '/v1/me/held/account' } },
  'sessions.proof': { kind: 'own', request: { path: '/v1/sessions/current/proof' } },
  'sessions.startPasswordProof': {
    kind: 'own',
    request: { path: '/v1/sessions/current/proof/password/start', body: { startLoginRequest: some } },
  },
  'sessions.finishPasswordProof': {
    kind: 'own',
    request: { path: '/v1/sessions/current/proof/password/finish', body: { challenge: randomId(), finishLoginRequest: some } },
  },
  'sessions.startPasskeyProof': { kind: 'own', request: { path: '/v1/sessions/current/proof/passkey/start', body: {} } },
  'sessions.finishPasskeyProof': {
    kind: 'own',
    request: { path: '/v1/sessions/current/proof/passkey/finish', body: { challenge: randomId(), response: {} } },
  },
  'linking.begin': { kind: 'open', why: 'the new device is nobody yet' },
  'linking.look': { kind: 'open', why: 'the ticket is the credential' },
  'linking.reveal': { kind: 'open', why: 'as above' },
  'linking.take': { kind: 'open', why: 'as above' },
  'linking.giveUp': { kind: 'open', why: 'as above' },
  // A code belongs to whoever brings it first; what others can do with one that was brought is in linking.story.test.ts.
  'linking.claim': { kind: 'own', request: { path: '/v1/links/claim', body: { code: 'ABCDEFGH' } } },
  'linking.offer': { kind: 'own', request: { path: '/v1/links/ABCDEFGH/offer', body: { key: 'A'.repeat(43) } } },
  'linking.show': { kind: 'own', request: { path: '/v1/links/ABCDEFGH' } },
  'linking.approve': { kind: 'own', request: { path: '/v1/links/ABCDEFGH/approval', body: { sealed: some } } },
  'linking.cancel': { kind: 'own', request: { path: '/v1/links/ABCDEFGH' } },
  'transparency.head': { kind: 'open', why: 'anybody may watch the log of device lists; it names nobody' },
  'transparency.consistency': { kind: 'open', why: 'as above' },
  'transparency.entries': { kind: 'open', why: 'as above' },
  // A label is the hash of an account id, and what it leads to is in the open log.
  'transparency.prove': { kind: 'own', request: { path: `/v1/transparency/places/${'A'.repeat(43)}` } },
  'delivery.entries': { kind: 'others', request: ({ conversation }) => ({ path: `/v1/conversations/${conversation}/entries?after=0` }) },
  'delivery.hashes': { kind: 'others', request: ({ conversation }) => ({ path: `/v1/conversations/${conversation}/hashes?after=0` }) },
}

type CommandRow<N extends CommandName> =
  | { readonly kind: 'own' }
  | { readonly kind: 'others'; readonly body: (things: Things) => BodyOf<N> | Promise<BodyOf<N>> }

const bytes = new Uint8Array([1])
const conversationOf = (things: Things): BodyOf<'delivery.send'>['conversation'] =>
  things.conversation as BodyOf<'delivery.send'>['conversation']

const commandRows: { readonly [N in CommandName]: CommandRow<N> } = {
  'connection.hello': { kind: 'own' },
  'connection.renew': { kind: 'own' },
  'conversations.commit': {
    kind: 'others',
    // Sound in itself, and of the right group; a stranger's all the same.
    body: async (things) => {
      const conversation = ConversationId.parse(things.conversation)
      const { group } = await newWireGroup(mallory, conversation)
      return commitOnWire({ conversation, group }, [])
    },
  },
  'conversations.acknowledgeWelcomes': { kind: 'own' },
  'delivery.resume': { kind: 'others', body: (things) => ({ cursors: [{ conversation: conversationOf(things), seq: 0 }] }) },
  'delivery.send': {
    kind: 'others',
    body: (things) => ({
      conversation: conversationOf(things),
      epoch: 0,
      clientSeq: 1,
      bytes: opaqueMessage({ conversation: things.conversation, epoch: 0, bytes }),
    }),
  },
  'delivery.nack': { kind: 'others', body: (things) => ({ conversation: conversationOf(things), clientSeq: 1, bytes }) },
  'delivery.acknowledge': { kind: 'others', body: (things) => ({ cursors: [{ conversation: conversationOf(things), seq: 1 }] }) },
  'turns.ask': { kind: 'others', body: (things) => ({ conversation: conversationOf(things), epoch: 0, work: 'tidy' }) },
  'signals.send': { kind: 'others', body: (things) => ({ conversation: conversationOf(things), epoch: 0, keep: false, bytes }) },
}

const routeNames = Object.keys(routeRows) as RouteName[]
const specOf = (name: RouteName): RouteSpec => {
  const [room = '', verb = ''] = name.split('.')
  const spec = (routes as Record<string, Record<string, RouteSpec>>)[room]?.[verb]
  if (!spec) throw new Error(`no such route: ${name}`)
  return spec
}

let server: ServerProcess
let alice: WireDevice
let mallory: WireDevice
let aliceThings: Things

const nothing: Things = { account: randomId(), conversation: randomId(), session: randomId(), handle: 'nobody' }

beforeAll(async () => {
  server = await startServerProcess()
  alice = await signUpOnWire({ url: server.url, handle: 'Alice.Liddell' })
  mallory = await signUpOnWire({ url: server.url, handle: 'Mallory' })
  const { conversation } = await openOnWire(alice)
  const sent = await (
    await alice.socket()
  ).command('delivery.send', {
    conversation: conversationOf({ ...nothing, conversation }),
    epoch: 0,
    clientSeq: 1,
    bytes: opaqueMessage({ conversation, epoch: 0, bytes: new TextEncoder().encode('canary in the coal mine') }),
  })
  expect(sent).toMatchObject({ ok: true })
  const sessions = (await alice.request('GET', '/v1/sessions')).body['sessions'] as readonly { readonly session: string }[]
  aliceThings = { account: alice.account, conversation, session: sessions[0]?.session ?? '', handle: alice.handle }
})

afterAll(() => server.dispose())

describe('the table is complete', () => {
  test('every route has a row', () => {
    const all = Object.entries(routes).flatMap(([room, verbs]) => Object.keys(verbs).map((verb) => `${room}.${verb}`))
    expect(routeNames.toSorted()).toEqual(all.toSorted())
  })

  test('every command has a row', () => {
    expect(Object.keys(commandRows).toSorted()).toEqual(commandNames.toSorted())
  })

  test('what is open says so in the contract too, and nothing else does', () => {
    expect(routeNames.filter((name) => routeRows[name].kind === 'open')).toEqual(
      routeNames.filter((name) => specOf(name).access === 'anyone'),
    )
  })
})

describe.each(routeNames.filter((name) => routeRows[name].kind !== 'open'))('%s', (name) => {
  const spec = specOf(name)
  const requestFor = (things: Things): Request => {
    const row = routeRows[name]
    return row.kind === 'others' ? row.request(things) : row.kind === 'own' ? row.request : { path: '/' }
  }

  test('refuses somebody who is not signed in, and a token that nobody has, whether the thing exists or not', async () => {
    for (const headers of [{}, { authorization: `Bearer ${'A'.repeat(43)}` }])
      for (const things of [aliceThings, nothing]) {
        const { path, body } = requestFor(things)
        const answer = await ask({ url: server.url, method: spec.method, path, body, headers })
        expect(answer).toMatchObject({ status: 401, body: { name: 'unauthenticated' } })
      }
  })

  if (spec.access === 'device')
    test('refuses a session that has no device', async () => {
      const { accessToken } = await signInOnWire({ url: server.url, handle: mallory.handle })
      const { path, body } = requestFor(aliceThings)
      const answer = await ask({ url: server.url, method: spec.method, path, body, headers: { authorization: `Bearer ${accessToken}` } })
      expect(answer).toMatchObject({ status: 403, body: { name: 'device_needed' } })
    })

  if (routeRows[name].kind === 'others')
    test('answers a stranger as if the thing did not exist', async () => {
      const theirs = requestFor(aliceThings)
      const noones = requestFor(nothing)
      const answer = await mallory.request(spec.method, theirs.path, theirs.body)
      expect(answer).toMatchObject({ status: 404, body: { name: 'not_found' } })
      expect(comparable(answer)).toEqual(comparable(await mallory.request(spec.method, noones.path, noones.body)))
    })

  if (routeRows[name].kind === 'own' && name !== 'sessions.signOut')
    test('tells a stranger nothing of Alice', async () => {
      const { path, body } = requestFor(nothing)
      const answer = await mallory.request(spec.method, path, body)
      expect(answer.status).toBeLessThan(500)
      for (const secret of Object.values(aliceThings)) expect(answer.text).not.toContain(secret)
    })
})

describe('the socket', () => {
  test.each(commandNames.filter((name) => name !== 'connection.hello'))(
    '%s is refused before hello, and the socket closed',
    async (name) => {
      const socket = await WireSocket.connect({ url: server.url })
      const row = commandRows[name]
      void socket.command(
        name,
        (row.kind === 'others' ? await row.body(aliceThings) : { welcomes: [], accessToken: 'A'.repeat(43) }) as BodyOf<typeof name>,
      )
      expect(await socket.closed).toBe(4401)
    },
  )

  test.each(commandNames.filter((name) => commandRows[name].kind === 'others'))(
    '%s answers a stranger as if the conversation did not exist',
    async (name) => {
      const row = commandRows[name]
      if (row.kind !== 'others') return
      const socket = await mallory.socket()
      await socket.command('delivery.resume', { cursors: [] })
      const theirs = await socket.command(name, await row.body(aliceThings))
      const noones = await socket.command(name, await row.body(nothing))
      expect(theirs).toEqual(noones)
      if (name !== 'delivery.resume') expect(theirs).toMatchObject({ ok: false, failure: 'not_found' })
      expect(socket.events.filter((event) => event.name === 'delivery.entries')).toEqual([])
      await socket.close()
    },
  )

  test('a stranger’s tries left Alice’s conversation as it was', async () => {
    const shown = await alice.request('GET', `/v1/conversations/${aliceThings.conversation}`)
    expect(shown.body).toMatchObject({ head: 1, epoch: 0, members: [{ account: alice.account, device: alice.device }] })
  })
})

function comparable({ status, body }: WireAnswer): unknown {
  const { requestId: _differs, ...rest } = body
  return { status, rest }
}
