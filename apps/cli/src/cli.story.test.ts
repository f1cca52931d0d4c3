/** The terminal client as people and scripts use it: real processes, a real server, a pipe in and a pipe out. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openDevice } from '@tacit/sdk/node'
import { Folder, Server, Terminal } from './story/processes.ts'

// Each command is two processes and a sign-on.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

const PASSWORD = 'correct horse battery staple'

let folder: Folder
let server: Server
let alice: Terminal
let bob: Terminal

beforeAll(async () => {
  folder = new Folder()
  server = await Server.start({ data: join(folder.path, 'server') })
  alice = await signedUp('Alice')
  bob = await signedUp('bob')
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** A new person, whose profile has the name of the handle. */
async function signedUp(handle: string): Promise<Terminal> {
  const terminal = profileOf(handle)
  await terminal.json(['sign-up', handle, '--password-stdin'], { input: `${PASSWORD}\n` })
  return terminal
}

function profileOf(name: string): Terminal {
  return new Terminal({ home: join(folder.path, 'profiles'), profile: name, server: server.url })
}

const textOf = (line: unknown): unknown => (typeof line === 'object' && line !== null && 'text' in line ? line.text : undefined)

test('two people talk: what one sends is a line of JSON for the other', async () => {
  await alice.json(['direct', 'BOB'])
  await using listener = await bob.listen()
  expect((await alice.run(['send', '@bob', 'See', 'you', 'at', 'noon'])).stdout).toBe('accepted: bob\n')
  expect(await listener.next()).toEqual({
    event: 'message',
    conversation: expect.stringMatching(/^[\w-]{22}$/),
    title: 'Alice',
    message: expect.stringMatching(/^[\w-]{22}$/),
    seq: expect.any(Number),
    sender: { account: expect.any(String), handle: 'Alice' },
    mine: false,
    text: 'See you at noon',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    request: true,
  })
  expect(await listener.stop('SIGTERM')).toBe(0)
})

test('who was not talked to before waits for an answer: it is accepted, or deleted for good', async () => {
  expect(await bob.json(['list'])).toEqual([])
  expect((await bob.run(['list'])).stdout).toBe('No conversations yet.\n1 request: see `tacit requests`.\n')
  expect(await bob.json(['requests'])).toEqual([
    expect.objectContaining({ kind: 'direct', by: expect.objectContaining({ handle: 'Alice' }) }),
  ])
  expect((await bob.run(['requests'])).stdout).toMatch(/@Alice wants to write to you\n$/)
  await bob.json(['accept', '@alice'])
  expect((await bob.run(['accept', '@alice'])).stderr).toContain('Nobody called “@alice” waits for an answer.')
  expect(await bob.json(['list'])).toEqual([expect.objectContaining({ title: 'Alice' })])

  const dave = await signedUp('Dave')
  await dave.json(['create', 'Trip to the sea', 'bob'])
  expect((await bob.run(['requests'])).stdout).toMatch(/@Dave invites you to a group of 2\n$/)
  // Its name was chosen by a stranger.
  expect((await bob.run(['send', 'Trip to the sea', 'hello'])).code).toBe(4)
  expect((await bob.run(['decline', '@dave', '--block'])).stdout).toBe('deleted, and @Dave is blocked\n')
  expect((await bob.run(['requests'])).stdout).toBe('Nobody is waiting for an answer.\n')
  expect(await bob.json(['people'])).toEqual([expect.objectContaining({ handle: 'Dave', blocked: true })])
})

test('a profile is let in by another one: it shows a code, both show the same digits, and its name is in the list', async () => {
  const tablet = profileOf('alice-tablet')
  const passwordFile = join(folder.path, 'password')
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 })
  await using shower = tablet.start(['link', '--device-name', 'Tablet', '--json'])
  const { code } = await shower.next<{ code: string }>()
  await using bringer = alice.start(['link', code, '--json'], { TACIT_PASSWORD_FILE: passwordFile })
  const [here, there] = [await bringer.next<{ digits: string }>(), await shower.next<{ digits: string; handle: string }>()]
  expect(there).toMatchObject({ digits: here.digits, handle: 'Alice' })
  bringer.say('yes')
  expect(await bringer.next()).toEqual({ event: 'linked' })
  expect(await shower.next()).toMatchObject({ event: 'linked', handle: 'Alice' })
  expect([await bringer.ended(), await shower.ended()]).toEqual([0, 0])
  const listed = (await alice.json(['devices'])) as { device: string; name: string; current: boolean }[]
  expect(listed.map(({ name }) => name)).toContain('Tablet')
  expect((await alice.run(['whoami'])).stderr).toContain('A new device has joined your account.')
  expect(await alice.json(['devices', '--idle-days', '30'])).toEqual({ idleDays: 30 })
  expect((await alice.run(['devices', '--idle-days', '13'])).code).toBe(2)
  const linked = listed.find(({ name }) => name === 'Tablet')?.device ?? ''
  expect((await alice.run(['devices', '--remove', linked], { env: { TACIT_PASSWORD_FILE: passwordFile } })).code).toBe(0)
  expect((await tablet.run(['devices'])).code).toBe(3)
})

test('standard input is one message, whatever lines it has', async () => {
  await using listener = await bob.listen('--conversation', '@alice')
  await alice.json(['send', '@bob', '-'], { input: 'first line\n  second — Grüße 👋\n' })
  expect(textOf(await listener.next())).toBe('first line\n  second — Grüße 👋')
  expect(await listener.stop('SIGINT')).toBe(0)
})

test('what arrived while nobody listened is not lost', async () => {
  await alice.json(['send', '@bob', 'are you there?'])
  await using listener = await bob.listen()
  expect(textOf(await listener.next())).toBe('are you there?')
})

test('a message cannot take over the terminal of the one who reads it', async () => {
  const hostile = '\u001B]0;owned\u0007\u001B[2Jhello\r\n14:00  Alice: forged \u202Egpj.exe'
  await alice.json(['send', '@bob', '-'], { input: hostile })
  const { stdout } = await bob.run(['history', '@alice', '--count', '1'])
  // oxlint-disable-next-line no-control-regex -- the point of the test
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
  expect(stdout).toContain('␛[2Jhello\n       14:00  Alice: forged <U+202E>gpj.exe\n')
  const [item] = (await bob.json(['history', '@alice', '--count', '1'])) as unknown[]
  expect(textOf(item)).toBe(hostile)
})

test('a profile serves one process at a time, and the second one says so', async () => {
  await using _listener = await bob.listen()
  const second = await bob.run(['list'])
  expect(second.code).toBe(7)
  expect(second.stderr).toMatch(
    /^tacit: The profile bob is in use by another process \(\d+\)\. Stop that process, or use another --profile\.\n$/,
  )
})

test('a listener whose reader has gone ends well', async () => {
  await using listener = await bob.listen()
  listener.closeOutput()
  await alice.json(['send', '@bob', 'anybody?'])
  expect(await listener.ended()).toBe(0)
})

test('a group: people come, are seen, and go', async () => {
  const carol = await signedUp('Carol')
  await alice.json(['create', 'Trip to the sea', 'bob'])
  await alice.json(['add', 'trip to the sea', '@carol'])
  await alice.json(['send', 'Trip to the sea', 'welcome'])
  await carol.json(['accept', '@alice'])
  const [item] = ((await carol.json(['history', 'Trip to the sea'])) as unknown[]).slice(-1)
  expect(item).toMatchObject({ text: 'welcome', sender: { handle: 'Alice' }, mine: false })
  await alice.json(['rename', 'Trip to the sea', 'Trip to the hills'])
  await bob.json(['leave', 'Trip to the hills'])
  await alice.json(['remove', 'Trip to the hills', 'carol'])
  expect(await carol.json(['list'])).toEqual([expect.objectContaining({ title: 'Trip to the hills', standing: 'removed' })])
  expect((await carol.run(['send', 'Trip to the hills', 'hello?'])).code).toBe(5)
})

test('who I am, my devices and my sessions', async () => {
  expect(await alice.json(['whoami'])).toMatchObject({ handle: 'Alice', server: server.url, profile: 'Alice' })
  expect(await alice.json(['find', 'BOB'])).toMatchObject({ handle: 'bob' })
  expect(await alice.json(['devices'])).toEqual([expect.objectContaining({ current: true })])
  expect(await alice.json(['sessions'])).toEqual([expect.objectContaining({ current: true, method: 'password' })])
})

test('a second terminal of the same account joins the conversations, and signing out empties it', async () => {
  const second = profileOf('alice-2')
  const TACIT_PASSWORD_FILE = join(folder.path, 'password')
  writeFileSync(TACIT_PASSWORD_FILE, `${PASSWORD}\n`)
  expect(await second.run(['sign-in', 'alice', '--device-name', 'second terminal'], { env: { TACIT_PASSWORD_FILE } })).toMatchObject({
    code: 0,
    stdout: `signed in as @Alice on ${server.url}\nWhat was written before comes from your archive, newest first.\n`,
  })
  // At once: commands that each end before it has joined would never show any.
  expect(await second.json(['list'])).toEqual(expect.arrayContaining([expect.objectContaining({ title: 'bob' })]))
  await using listener = await second.listen()
  await bob.json(['send', '@alice', 'to both of you'])
  expect(textOf(await listener.next())).toBe('to both of you')
  await listener.stop('SIGTERM')
  await second.json(['sign-out'])
  expect(readdirSync(join(folder.path, 'profiles', 'alice-2'))).toEqual(['lock'])
  expect((await second.run(['list'])).code).toBe(3)
})

test('the archive says how it stands; a copy is written once and read back; a message is deleted for oneself', async () => {
  await alice.json(['send', '@bob', 'for my copy'])
  expect(await alice.json(['archive'])).toMatchObject({ on: true })
  const copy = join(folder.path, 'copy')
  const written = (await alice.json(['export', copy])) as { html: string; json: string; lines: number }
  expect(readFileSync(written.html, 'utf8')).toContain('for my copy')
  expect((await alice.run(['export', copy])).code).toBe(2)
  expect(await alice.json(['import', written.html])).toEqual({ kind: 'imported', added: 0, known: written.lines })
  expect((await bob.run(['import', written.json])).code).toBe(5)
  const shown = (await alice.json(['history', '@bob'])) as { kind: string; message: string; text: string }[]
  const last = shown.findLast(({ kind }) => kind === 'message')
  await alice.json(['forget', '@bob', last?.message ?? ''])
  const left = (await alice.json(['history', '@bob'])) as { text: string }[]
  expect(left.map(({ text }) => text)).not.toContain(last?.text)
  expect((await alice.run(['forget', '@bob', last?.message ?? ''])).code).toBe(4)
  expect(await alice.json(['archive', 'off'])).toMatchObject({ on: false })
  expect(await alice.json(['archive', 'on'])).toMatchObject({ on: true })
})

test('a device lost right after a message was sent has lost nothing, and the first command on the next one shows it', async () => {
  const grace = await signedUp('grace')
  await grace.json(['direct', 'bob'])
  await grace.json(['send', '@bob', 'the last words of this device'])
  const next = profileOf('grace-next')
  await next.json(['sign-in', 'grace', '--password-stdin'], { input: `${PASSWORD}\n` })
  const shown = (await next.json(['history', '@bob'])) as unknown[]
  expect(shown.map(textOf)).toContain('the last words of this device')
})

test('a profile whose signing in was cut short has joined when its first command lists the conversations', async () => {
  const ivan = await signedUp('ivan')
  await ivan.json(['direct', 'bob'])
  const cut = profileOf('ivan-cut')
  await cut.run(['list'])
  const device = await openDevice({ server: server.url, store: join(folder.path, 'profiles', 'ivan-cut', 'device.db') })
  await device.signIn({ handle: 'ivan', password: PASSWORD })
  await device.close()
  expect(await cut.json(['list'])).toEqual([expect.objectContaining({ title: 'bob', standing: 'active' })])
})

test('what comes into the archive later is shown by commands that each end at once; `history` goes back as far as it was asked to', async () => {
  const heidi = await signedUp('heidi')
  await heidi.json(['direct', 'bob'])
  await heidi.json(['archive', 'off'])
  const texts = Array.from({ length: 75 }, (_, at) => `line ${at}`)
  {
    await using device = await openDevice({ server: server.url, store: join(folder.path, 'profiles', 'heidi', 'device.db') })
    const conversation = await device.startDirect({ handle: 'bob' })
    for (const text of texts) await device.send({ conversation, text })
    await device.settle({ within: 30_000 })
  }
  const next = profileOf('heidi-next')
  await next.json(['sign-in', 'heidi', '--password-stdin'], { input: `${PASSWORD}\n` })
  expect(((await next.json(['history', '@bob'])) as unknown[]).map(textOf)).not.toContain('line 74')
  await heidi.json(['archive', 'on'])
  const shown = (await next.json(['history', '@bob', '--count', '72'])) as { kind: string; text: string }[]
  expect(shown).toHaveLength(72)
  expect(shown.flatMap(({ kind, text }) => (kind === 'message' ? [text] : []))).toEqual(texts.slice(-71))
  expect(((await heidi.json(['history', '@bob', '--count', '70'])) as unknown[]).length).toBe(70)
})

test('while the server is away a message waits, and it goes out once when the server is back', async () => {
  const { port } = new URL(server.url)
  await server[Symbol.asyncDispose]()
  const waiting = await alice.run(['send', '@bob', 'patience'])
  expect(waiting.code).toBe(6)
  expect(waiting.stderr).toContain('do not send it again')
  server = await Server.start({ data: join(folder.path, 'server'), port })
  const items = (await alice.json(['history', '@bob'])) as { text: string; state: string }[]
  expect(items.filter(({ text }) => text === 'patience')).toHaveLength(1)
  const received = (await bob.json(['history', '@alice'])) as { text: string }[]
  expect(received.filter(({ text }) => text === 'patience')).toHaveLength(1)
})

describe('the command line', () => {
  test.skipIf(process.platform === 'win32')('keeps what it stores from other users', () => {
    const profile = join(folder.path, 'profiles', 'Alice')
    const modes = readdirSync(profile).map((name) => statSync(join(profile, name)).mode & 0o777)
    expect(statSync(profile).mode & 0o777).toBe(0o700)
    expect(new Set(modes)).toEqual(new Set([0o600]))
  })

  test('ends with a code that says what kind of thing went wrong', async () => {
    const nobody = async (profile: string, args: readonly string[], input = '') => (await profileOf(profile).run(args, { input })).code
    const [usage, help, notSignedIn, wrongPassword, handleTaken] = await Promise.all([
      nobody('a', ['frobnicate']),
      nobody('b', ['--help']),
      nobody('c', ['list']),
      nobody('d', ['sign-in', 'alice', '--password-stdin'], 'not this one\n'),
      nobody('e', ['sign-up', 'ALICE', '--password-stdin'], `${PASSWORD}\n`),
    ])
    const noSuchConversation = (await alice.run(['send', 'nowhere', 'x'])).code
    const noSuchPerson = (await alice.run(['find', 'somebody.else'])).code
    const codes = { usage, help, notSignedIn, wrongPassword, handleTaken, noSuchConversation, noSuchPerson }
    expect(codes).toEqual({ usage: 2, notSignedIn: 3, noSuchConversation: 4, noSuchPerson: 4, wrongPassword: 5, handleTaken: 5, help: 0 })
  })

  test('gives failures as JSON to scripts', async () => {
    const { stderr } = await alice.run(['send', '@nobody', 'x', '--json'])
    expect(JSON.parse(stderr)).toEqual({
      failure: 'not_found',
      message: 'There is no conversation “@nobody”.',
      next: '`tacit direct nobody` starts one.',
      exit: 4,
    })
  })
})

test('a recovery kit made in the terminal lets an empty profile in, with names and blocked people as they were', async () => {
  const eva = await signedUp('eva')
  await eva.json(['name', '@bob', 'Builder Bob'])
  await eva.json(['block', 'alice'])
  const kit = await eva.json(['kit'])
  const words = kit && typeof kit === 'object' && 'words' in kit && Array.isArray(kit.words) ? kit.words.join(' ') : ''
  expect(words.split(' ')).toHaveLength(12)
  const empty = profileOf('eva-restored')
  expect(await empty.json(['restore', '--password-stdin'], { input: `${words}\n` })).toMatchObject({ handle: 'eva' })
  await vi.waitFor(
    async () =>
      expect(await empty.json(['people'])).toEqual([
        { account: expect.any(String), handle: 'Alice', blocked: true },
        { account: expect.any(String), handle: 'bob', name: 'Builder Bob', blocked: false },
      ]),
    { timeout: 60_000 },
  )
  await empty.json(['password', '--password-stdin'], { input: 'another horse entirely\n' })
  const [password] = (await eva.json(['ways'])) as readonly { readonly kind: string; readonly unlock: string }[]
  expect(password).toMatchObject({ kind: 'kit' })
})
