import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import { decodeCommand, encodeAccepted, encodeCbor, encodeCommand, encodeEvent, type Entry, type EventFrame } from '@tacit/contract'
import type { ConversationId, Timeline } from '@tacit/sdk'
import { openDevice, openMemoryStore } from '@tacit/sdk/node'
import { noticesOf, openWorld, PASSWORD, textsOf, until, Weather, type Forge, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

let pairs = 0

/** Two people who have written to each other; the server will lie to the reader. */
async function pair(): Promise<{
  writer: WorldDevice
  reader: WorldDevice
  conversation: ConversationId
  write: (text: string) => Promise<unknown>
}> {
  pairs += 1
  const [writer, reader] = await Promise.all([world.signedUp(`Writer${pairs}x`), world.signedUp(`Reader${pairs}x`)])
  const conversation = await writer.startDirect({ handle: `Reader${pairs}x` })
  await reader.conversation(`Writer${pairs}x`)
  const write = async (text: string) => {
    await writer.send({ conversation, text })
    await until(
      writer.watch('timeline', conversation),
      (now) => now?.items.some((item) => item.kind === 'message' && item.text === text && item.seq !== undefined) ?? false,
    )
  }
  // The first reply brings fresh keys in: from here on there are only messages.
  await reader.send({ conversation, text: 'hello' })
  await writer.sees(conversation, ['hello'])
  return { writer, reader, conversation, write }
}

/** Makes something else of the first entry of a kind; those after it move to where they must be for that. */
function forgeFirst(kind: Entry['kind'], change: (entry: Entry) => readonly Entry[]): Forge {
  let moved: number | undefined
  return (event): EventFrame => {
    if (event.name !== 'delivery.entries') return event
    const entries = event.body.entries.flatMap((entry) => {
      if (moved !== undefined) return [{ ...entry, seq: entry.seq + moved }]
      if (entry.kind !== kind) return [entry]
      const forged = change(entry)
      moved = forged.length - 1
      return forged
    })
    return { ...event, body: { ...event.body, entries } }
  }
}

const flipped = (entry: Entry): Entry => ({
  ...entry,
  bytes: entry.bytes.map((byte, at) => (at === entry.bytes.length - 9 ? byte ^ 1 : byte)),
})

const shows = (device: WorldDevice, conversation: ConversationId, is: (lines: readonly string[], timeline: Timeline) => boolean) =>
  until(device.watch('timeline', conversation), (now) => now !== undefined && is(noticesOf(now.items), now))

test('a message that was changed on the way is said to be unreadable, fetched again as it is, and the change is told', async () => {
  const { reader, conversation, write } = await pair()
  reader.weather.forge(forgeFirst('message', (entry) => [flipped(entry)]))
  await write('changed on the way')
  await shows(reader, conversation, (lines) => lines.includes('unreadable auth_failed'))
  await write('unharmed')
  // The server's own hashes say that it was another one, so it is fetched again.
  const seen = await reader.sees(conversation, ['hello', 'changed on the way', 'unharmed'])
  expect(noticesOf(seen.items)).toContain('tampering')
})

test('an own entry that was never sealed here does not pass for what was', async () => {
  const { reader, conversation } = await pair()
  reader.weather.forge(forgeFirst('message', (entry) => [flipped(entry)]))
  await reader.send({ conversation, text: 'mine' })
  const settled = await until(
    reader.watch('timeline', conversation),
    (now) =>
      now?.items.some((item) =>
        item.kind === 'notice'
          ? item.notice.kind === 'tampering'
          : item.kind === 'message' && item.text === 'mine' && item.seq !== undefined,
      ) ?? false,
  )
  expect(noticesOf(settled?.items ?? [])).toContain('tampering')
})

test('whoever joins begins with the transcript that the inviter vouches for, whatever the server says of the time before', async () => {
  const [writer, joiner] = await Promise.all([world.signedUp('Inviter'), world.signedUp('Joiner')])
  const conversation = await writer.createGroup({ title: 'late', handles: [] })
  for (const text of ['one', 'two', 'three']) await writer.send({ conversation, text })
  await writer.messageBecomes(conversation, 'three', 'accepted')
  // Another hash for the first entry, which only somebody who was there could tell.
  joiner.weather.forgeAnswers((url, body) => (/hashes\?.*after=0/.test(url) ? withoutFirst(body) : body))
  await writer.addPeople({ conversation, handles: ['joiner'] })
  await joiner.conversation('late')
  await joiner.send({ conversation, text: 'hello' })
  const seen = await writer.sees(conversation, ['one', 'two', 'three', 'hello'])
  expect(noticesOf(seen.items)).not.toContain('tampering')
})

function withoutFirst(body: unknown): unknown {
  const hashes = typeof body === 'object' && body !== null && 'hashes' in body && Array.isArray(body.hashes) ? body.hashes : []
  return { ...Object(body), hashes: hashes.map((hash: unknown, at) => (at === 0 ? 'A'.repeat(43) : hash)) }
}

test('a message that the server leaves out is noticed with the next one', async () => {
  const { reader, conversation, write } = await pair()
  reader.weather.forge(forgeFirst('message', () => []))
  await write('never arrives')
  await write('arrives')
  const seen = await reader.sees(conversation, ['hello', 'arrives'])
  expect(noticesOf(seen.items)).toContain('tampering')
})

test('a message that the server repeats is shown once and the repeat as such', async () => {
  const { reader, conversation, write } = await pair()
  reader.weather.forge(forgeFirst('message', (entry) => [entry, { ...entry, seq: entry.seq + 1 }]))
  await write('once')
  await shows(reader, conversation, (lines) => lines.includes('unreadable duplicate'))
  const timeline = reader.watch('timeline', conversation).get()
  expect(textsOf(timeline?.items ?? [])).toEqual(['hello', 'once'])
})

test('a message under a wrong name is shown under the right one', async () => {
  const { writer, reader, conversation, write } = await pair()
  const stranger = (await world.signedUp(`Stranger${pairs}`)).watch('session').get()
  if (stranger.kind !== 'signed_in') throw new Error('not signed in')
  reader.weather.forge(forgeFirst('message', (entry) => [{ ...entry, sender: stranger.device }]))
  await write('it was me')
  const seen = await reader.sees(conversation, ['hello', 'it was me'])
  const item = seen.items.at(-1)
  const who = writer.watch('session').get()
  expect(item?.kind === 'message' && who.kind === 'signed_in' && item.sender.account === who.me.account).toBe(true)
})

test('a commit that cannot be followed pauses the conversation until the device has joined anew, and then it goes on', async () => {
  const { writer, reader, conversation, write } = await pair()
  reader.weather.forge(forgeFirst('commit', (entry) => [flipped(entry)]))
  const before = (await reader.details(conversation, () => true)).encryption.epoch
  const tablet = await world.signedIn(`Writer${pairs}x`)
  await tablet.conversation(`Reader${pairs}x`)
  await shows(reader, conversation, (lines) => lines.some((line) => line.startsWith('unreadable')))
  // The commit that was lost, and the one by which the reader came back.
  await reader.details(conversation, ({ standing, encryption }) => standing === 'active' && encryption.epoch >= before + 2)
  await write('after the repair')
  await shows(reader, conversation, (_, timeline) => textsOf(timeline.items).includes('after the repair'))
  await reader.send({ conversation, text: 'I am back' })
  await shows(writer, conversation, (_, timeline) => textsOf(timeline.items).includes('I am back'))
})

test('frames of nobody’s making end the socket, and nothing else', async () => {
  const { reader, conversation, write } = await pair()
  for (const junk of [new Uint8Array([0xff]), new Uint8Array(100).fill(0x81), new Uint8Array()]) {
    reader.weather.inject(junk)
    await reader.online()
  }
  await write('still here')
  await reader.sees(conversation, ['hello', 'still here'])
})

/** A device whose owner wants more than the rules allow: its store is told so behind its SDK's back. */
async function memberWithAWish(handle: string, network = new Weather()) {
  const store = openMemoryStore()
  const device = await openDevice({ server: world.url, store, network })
  await device.signUp({ handle, password: PASSWORD })
  const wish = (kind: string, conversation: ConversationId, detail: readonly string[]) =>
    store.transaction((writer) =>
      writer.run('insert into intent (conversation, kind, detail) values (?, ?, ?)', [conversation, kind, encodeCbor(detail)]),
    )
  return { device, wish }
}

test.each([
  { what: 'a removal', kind: 'remove', detail: (victim: string) => [victim] },
  { what: 'a promotion', kind: 'role', detail: (_: string, self: string) => [self, 'admin'] },
])('$what by somebody who may not is refused, and the others notice nothing', async ({ kind, detail }) => {
  const [alice, carol] = await Promise.all([world.signedUp(`Alice${kind}`), world.signedUp(`Carol${kind}`)])
  const { device: mallory, wish } = await memberWithAWish(`Mallory${kind}`)
  await using _ = mallory
  const conversation = await alice.createGroup({ title: 'Trust', handles: [`mallory${kind}`, `carol${kind}`] })
  await carol.conversation('Trust')
  await until(mallory.watch('conversations'), (list) => list?.some((one) => one.standing === 'active') ?? false)
  const accountOf = (one: { watch: typeof mallory.watch }): string => {
    const state = one.watch('session').get()
    if (state.kind !== 'signed_in') throw new Error('not signed in')
    return state.me.account
  }
  await wish(kind, conversation, detail(accountOf(carol), accountOf(mallory)))
  await mallory.send({ conversation, text: 'as I was saying' })
  for (const honest of [alice, carol]) {
    await shows(honest, conversation, (_lines, timeline) => textsOf(timeline.items).includes('as I was saying'))
    const details = await honest.details(conversation, ({ standing }) => standing === 'active')
    expect(details.members).toHaveLength(3)
    expect(details.members.filter(({ role }) => role === 'admin').map(({ handle }) => handle)).toEqual([`Alice${kind}`])
    expect(noticesOf(honest.watch('timeline', conversation).get()?.items ?? []).filter((line) => line.startsWith('unreadable'))).toEqual([])
  }
})

/** The network of a device that spoils its first commit on the way out, and hands in what it leads to with it. */
class Spoiler extends Weather {
  #done = false

  override openSocket(request: Parameters<Weather['openSocket']>[0]): ReturnType<Weather['openSocket']> {
    const socket = super.openSocket(request)
    const spoilOnce = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
      const result = this.#done ? bytes : spoiled(bytes)
      this.#done ||= result !== bytes
      return result
    }
    return { send: (bytes) => socket.send(spoilOnce(bytes)), close: () => socket.close() }
  }
}

function spoiled(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const frame = decodeCommand(bytes)
  if (frame.type !== 'command' || frame.name !== 'conversations.commit') return bytes
  const commit = frame.body.commit.map((byte, at) => (at === frame.body.commit.length - 9 ? byte ^ 1 : byte))
  return encodeCommand({ ref: frame.ref, name: frame.name, body: { ...frame.body, commit } })
}

test('a commit that only members can tell to be wrong pauses the group, and everybody comes back to the same members and roles', async () => {
  const [anna, cleo] = await Promise.all([world.signedUp('Annabel'), world.signedUp('Cleo')])
  const { device: mallory } = await memberWithAWish('Mallard', new Spoiler())
  await using _ = mallory
  const conversation = await anna.createGroup({ title: 'Ours', handles: ['mallard', 'cleo'] })
  await cleo.conversation('Ours')
  await until(mallory.watch('conversations'), (list) => list?.some((one) => one.standing === 'active') ?? false)
  // Her first message asks for fresh keys, and that commit is the one which is spoiled: in the tag that only members can check.
  await mallory.send({ conversation, text: 'quack' })
  for (const honest of [anna, cleo]) {
    await shows(honest, conversation, (lines) => lines.includes('unreadable auth_failed'))
    const { members } = await honest.details(conversation, ({ standing }) => standing === 'active')
    expect(members.map(({ handle }) => handle).toSorted()).toEqual(['Annabel', 'Cleo', 'Mallard'])
    expect(members.filter(({ role }) => role === 'admin').map(({ handle }) => handle)).toEqual(['Annabel'])
  }
  await anna.send({ conversation, text: 'still here' })
  await shows(cleo, conversation, (_lines, timeline) => textsOf(timeline.items).includes('still here'))
})

test('a server that names another account key for somebody is not believed', async () => {
  const { writer } = await pair()
  const handle = `Reader${pairs}x`
  const impostor = await world.signedUp(`Impostor${pairs}`)
  const known = await writer.findPerson({ handle })
  writer.weather.forgeAnswers((url, body) =>
    url.endsWith(`/people/${handle}`) && typeof body === 'object' ? { ...body, accountKey: 'A'.repeat(43) } : body,
  )
  await expect(writer.findPerson({ handle })).rejects.toMatchObject({ failure: 'identity_mismatch' })
  writer.weather.forgeAnswers((url, body) =>
    url.includes('/people/') && typeof body === 'object' ? { ...body, account: known?.account } : body,
  )
  await expect(writer.findPerson({ handle: impostor.name })).rejects.toMatchObject({ failure: 'identity_mismatch' })
})

test('a server that passes off a group as the direct conversation gets no message into it', async () => {
  const [alice, bob, carol] = await Promise.all(['Anna', 'Ben', 'Cora'].map((handle) => world.signedUp(handle)))
  if (!alice || !bob || !carol) throw new Error('nobody')
  const group = await carol.createGroup({ title: 'Open to all', handles: ['anna'] })
  await alice.conversation('Open to all')
  alice.weather.forgeAnswers((url, body) =>
    url.endsWith('/v1/conversations')
      ? { type: 'x', title: 'x', status: 409, name: 'direct_exists', next: 'x', requestId: 'x', details: { conversation: group } }
      : body,
  )
  await expect(alice.startDirect({ handle: 'ben' })).rejects.toMatchObject({ failure: 'identity_mismatch' })
})

test('an own message that the log no longer holds is not sent for ever, and the conversation goes on', async () => {
  const { writer, reader, conversation, write } = await pair()
  writer.weather.loseAnswers()
  await writer.send({ conversation, text: 'heard, but not by me' })
  const { items } = await reader.sees(conversation, ['hello', 'heard, but not by me'])
  const gone = items.at(-1)?.seq
  await reader.send({ conversation, text: 'I heard it' })
  await reader.messageBecomes(conversation, 'I heard it', 'accepted')
  writer.weather.forge((event) =>
    event.name === 'delivery.entries'
      ? { ...event, body: { ...event.body, entries: event.body.entries.filter(({ seq }) => seq !== gone) } }
      : event,
  )
  writer.weather.forgeAnswers((url, body) => {
    if (!url.includes('/entries') || typeof body !== 'object' || body === null || !('entries' in body)) return body
    const entries: readonly unknown[] = Array.isArray(body.entries) ? body.entries : []
    return { ...body, entries: entries.filter((entry) => !JSON.stringify(entry).includes(`"seq":${gone},`)) }
  })
  writer.weather.cut()
  writer.weather.restore()
  await until(
    writer.watch('timeline', conversation),
    (now) => now?.items.some((item) => item.kind === 'message' && item.seq === gone && item.state.kind !== 'sending') ?? false,
  )
  await write('and so it goes on')
})

test(
  'M-13: a server that says of a commit that it is accepted, and accepts another one, holds nobody up',
  { timeout: 120_000 },
  async () => {
    const [nina, otto] = await Promise.all([world.signedUp('Nina'), world.signedUp('Otto')])
    await Promise.all([world.signedUp('Paula'), world.signedUp('Quentin')])
    const conversation = await nina.createGroup({ title: 'Two', handles: ['otto'] })
    await otto.conversation('Two')
    await otto.send({ conversation, text: 'hello' })
    await nina.sees(conversation, ['hello'])
    let pretended = false
    nina.weather.pretend((command) => {
      if (command.name !== 'conversations.commit' || pretended) return undefined
      pretended = true
      const hash = new Uint8Array(createHash('sha256').update(command.body.commit).digest())
      const result = { seq: 99, hash, epoch: command.body.epoch + 1, duplicate: false }
      return encodeAccepted({ ref: command.ref, name: 'conversations.commit', result }).slice()
    })
    const adding = nina.addPeople({ conversation, handles: ['paula'] })
    await expect.poll(() => pretended).toBe(true)
    await otto.addPeople({ conversation, handles: ['quentin'] })
    await adding
    await nina.send({ conversation, text: 'all of us' })
    await otto.sees(conversation, ['hello', 'all of us'])
    const { members } = await otto.details(conversation, (now) => now.members.length === 4)
    expect(members.map(({ handle }) => handle).toSorted()).toEqual(['Nina', 'Otto', 'Paula', 'Quentin'])
  },
)

test('a server that counts commits wrongly does not get the messages after them refused', async () => {
  const { reader, conversation } = await pair()
  const miscounted = (entry: Entry): Entry => (entry.kind === 'commit' ? { ...entry, clientSeq: 1_000_000 } : entry)
  reader.weather.forge((event) =>
    event.name === 'delivery.entries' ? { ...event, body: { ...event.body, entries: event.body.entries.map(miscounted) } } : event,
  )
  const tablet = await world.signedIn(`Writer${pairs}x`)
  await tablet.conversation(`Reader${pairs}x`)
  await tablet.send({ conversation, text: 'from the tablet' })
  await reader.sees(conversation, ['hello', 'from the tablet'])
})

test('entries that the server makes up in somebody’s name do not turn their next honest message into a repeat', async () => {
  const { reader, conversation, write } = await pair()
  const madeUp = (entry: Entry): readonly Entry[] => [
    { ...flipped(entry), clientSeq: 1_000_000 },
    { ...entry, seq: entry.seq + 1 },
  ]
  reader.weather.forge(forgeFirst('message', madeUp))
  await write('the honest one')
  const seen = await reader.sees(conversation, ['hello', 'the honest one'])
  expect(noticesOf(seen.items)).toContain('unreadable auth_failed')
  expect(noticesOf(seen.items)).not.toContain('unreadable duplicate')
})

test('M-19: who cannot process a commit says so, and is brought back by those who could when it cannot come by itself', async () => {
  const { writer, reader, conversation, write } = await pair()
  reader.weather.forge(forgeFirst('commit', (entry) => [flipped(entry)]))
  reader.weather.forgeAnswers((url, body) =>
    url.endsWith('/group-info') && typeof body === 'object' ? { ...body, groupInfo: 'AAAA' } : body,
  )
  const kinds: string[] = []
  writer.weather.forge((event) => {
    if (event.name === 'delivery.entries') kinds.push(...event.body.entries.map(({ kind }) => kind))
    return event
  })
  const before = (await reader.details(conversation, () => true)).encryption.epoch
  const tablet = await world.signedIn(`Writer${pairs}x`)
  await tablet.conversation(`Reader${pairs}x`)
  await reader.details(conversation, ({ standing }) => standing === 'paused')
  await reader.details(conversation, ({ standing, encryption }) => standing === 'active' && encryption.epoch >= before + 2)
  expect(kinds).toContain('nack')
  await reader.send({ conversation, text: 'somebody fetched me' })
  await shows(writer, conversation, (_, timeline) => textsOf(timeline.items).includes('somebody fetched me'))
  await write('glad to have you back')
  const seen = await reader.sees(conversation, ['hello', 'somebody fetched me', 'glad to have you back'])
  expect(noticesOf(seen.items)).not.toContain('tampering')
  // Brought back once: the others have forgotten that it was stranded.
  const { encryption } = await writer.details(conversation, () => true)
  await tablet.send({ conversation, text: 'no more commits' })
  await reader.sees(conversation, ['hello', 'somebody fetched me', 'glad to have you back', 'no more commits'])
  expect(encryption.epoch).toBeLessThanOrEqual(before + 4)
})

test('M-27: a stranger learns nothing by a commit that cannot be followed; it is repaired when their conversation is taken up', async () => {
  const [stranger, victim] = [await world.signedUp('Stranger'), await world.signedUp('Victim')]
  const conversation = await stranger.startDirect({ handle: 'victim' })
  await victim.requests(1)
  victim.weather.forge(forgeFirst('commit', (entry) => [flipped(entry)]))
  const before = (await victim.details(conversation, () => true)).encryption.epoch
  const tablet = await world.signedIn('stranger')
  await tablet.conversation('Victim')
  await victim.details(conversation, ({ standing }) => standing === 'paused')
  await victim.settle({ within: 20_000 })
  await stranger.send({ conversation, text: 'are you there?' })
  await stranger.messageBecomes(conversation, 'are you there?', 'accepted')
  expect([victim.weather.said('delivery.nack'), victim.weather.said('conversations.commit')]).toEqual([0, 0])

  await victim.acceptRequest({ conversation })
  await victim.details(conversation, ({ standing, encryption }) => standing === 'active' && encryption.epoch >= before + 2)
  await victim.send({ conversation, text: 'here I am' })
  await shows(stranger, conversation, (_, timeline) => textsOf(timeline.items).includes('here I am'))
}, 120_000)

test('signals from an epoch that never comes cost nothing but themselves', async () => {
  const { writer, reader, conversation, write } = await pair()
  let early = 0
  writer.weather.forge((event) => {
    if (event.name !== 'signals.signal') return event
    early += 1
    return { ...event, body: { ...event.body, kept: true, epoch: event.body.epoch + 1000 } }
  })
  await write('read this')
  await reader.sees(conversation, ['hello', 'read this'])
  await reader.markRead({ conversation, seq: 99 })
  await expect.poll(() => early).toBeGreaterThan(0)
  // Each batch that is read tries them again.
  await reader.send({ conversation, text: 'still there?' })
  await writer.sees(conversation, ['hello', 'read this', 'still there?'])
  await write('yes')
  await reader.sees(conversation, ['hello', 'read this', 'still there?', 'yes'])
})

test('B-124 M-40: a Welcome that the server says again changes nothing, also when its key package is still there', async () => {
  const writer = await world.signedUp('Winston')
  const store = openMemoryStore()
  const weather = new Weather()
  await using reader = await openDevice({ server: world.url, store, network: weather })
  await reader.signUp({ handle: 'Rosalind', password: PASSWORD })
  const packages = await store.all('select ref, bytes, secret, last_resort, published, made_at from key_package')
  let welcome: EventFrame | undefined
  weather.forge((event) => {
    if (event.name === 'conversations.welcome') welcome = event
    return event
  })
  let tree: object | undefined
  weather.forgeAnswers((url, body) => {
    if (!url.includes('/tree') || typeof body !== 'object' || body === null) return body
    tree ??= body
    return { ...tree, status: 200 }
  })
  const conversation = await writer.startDirect({ handle: 'rosalind' })
  const reads = (text: string) =>
    until(
      reader.watch('timeline', conversation),
      (now) => now?.items.some((item) => item.kind === 'message' && item.text === text) ?? false,
    )
  await writer.send({ conversation, text: 'one' })
  await reads('one')
  await reader.send({ conversation, text: 'two' })
  const { encryption } = await writer.details(conversation, ({ encryption: { epoch } }) => epoch >= 2)
  await writer.sees(conversation, ['one', 'two'])
  if (welcome?.name !== 'conversations.welcome') throw new Error('nobody was welcomed')
  const again = encodeEvent({ ...welcome, body: { ...welcome.body, seq: 50 } })

  weather.inject(again)
  await writer.send({ conversation, text: 'three' })
  await reads('three')
  const row = 'insert or ignore into key_package (ref, bytes, secret, last_resort, published, made_at) values (?, ?, ?, ?, ?, ?)'
  for (const { ref, bytes, secret, last_resort, published, made_at } of packages)
    await store.transaction((to) =>
      to.run(
        row,
        [ref, bytes, secret, last_resort, published, made_at].map((value) => value ?? null),
      ),
    )
  weather.inject(again)
  await writer.send({ conversation, text: 'four' })
  await reads('four')
  const after = await until(reader.watch('details', conversation), (details) => details !== undefined)
  expect(after).toMatchObject({ standing: 'active', encryption: { epoch: encryption.epoch } })
})

test('B-105 B-128: a member who uses the id of another message a second time does not put words in its place', async () => {
  const wendy = await world.signedUp('Wendy')
  const store = openMemoryStore()
  await using mallory = await openDevice({ server: world.url, store })
  await mallory.signUp({ handle: 'Malcolm', password: PASSWORD })
  const conversation = await wendy.startDirect({ handle: 'malcolm' })
  const taken = await wendy.send({ conversation, text: 'I never said that' })
  await until(mallory.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes('I never said that'))
  const row = 'insert into outbox (message, conversation, kind, text, time) values (?, ?, ?, ?, ?)'
  await store.transaction((writer) => writer.run(row, [taken, conversation, 'text', 'yes you did', 0]))
  await mallory.send({ conversation, text: 'did you?' })
  const seen = await wendy.sees(conversation, ['I never said that', 'did you?'])
  expect(noticesOf(seen.items)).toEqual(expect.arrayContaining(['unreadable duplicate', 'tampering']))
})
