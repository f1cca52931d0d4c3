import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, ShiftedClock, until, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

async function pair(one: string, other: string) {
  const [left, right] = await Promise.all([world.signedUp(one), world.signedUp(other)])
  const conversation = await left.startDirect({ handle: other })
  await right.conversation(one)
  return { left, right, conversation }
}

const offline = (device: WorldDevice) => until(device.watch('connection'), ({ kind }) => kind === 'offline')

test('three messages written offline survive a restart and arrive once, in order', async () => {
  const { left, right, conversation } = await pair('Alice', 'Bob')
  left.weather.cut()
  await offline(left)
  for (const text of ['one', 'two', 'three']) await left.send({ conversation, text })
  await left.messageBecomes(conversation, 'three', 'sending')
  await until(left.watch('connection'), ({ unsent }) => unsent === 3)
  await left.restart()
  await until(left.watch('connection'), ({ kind, unsent }) => kind === 'offline' && unsent === 3)
  await left.sees(conversation, ['one', 'two', 'three'])
  left.weather.restore()
  await right.sees(conversation, ['one', 'two', 'three'])
  await left.messageBecomes(conversation, 'three', 'delivered')
  await until(left.watch('connection'), ({ unsent }) => unsent === 0)
})

test('an answer that is lost makes no second message', async () => {
  const { left, right, conversation } = await pair('Carol', 'Dan')
  left.weather.loseAnswers()
  await left.send({ conversation, text: 'once' })
  await right.sees(conversation, ['once'])
  left.weather.cut()
  await offline(left)
  await left.restart()
  await left.messageBecomes(conversation, 'once', 'sending')
  left.weather.restore()
  await left.messageBecomes(conversation, 'once', 'delivered')
  await left.send({ conversation, text: 'twice' })
  await right.sees(conversation, ['once', 'twice'])
})

test('a message that meets a new epoch is sealed again after catching up, also when nothing comes by the socket', async () => {
  const { left, right, conversation } = await pair('Nina', 'Otto')
  left.weather.forge((event) => (event.name === 'delivery.entries' ? { ...event, body: { ...event.body, entries: [] } } : event))
  // His first message brings fresh keys: a commit.
  await right.send({ conversation, text: 'first' })
  await right.messageBecomes(conversation, 'first', 'accepted')
  await left.send({ conversation, text: 'second' })
  await right.sees(conversation, ['first', 'second'])
  const seen = await until(left.watch('timeline', conversation), (now) =>
    (now?.items ?? []).some((item) => item.kind === 'unreadable' || (item.kind === 'message' && item.text === 'first')),
  )
  expect(seen?.items.filter(({ kind }) => kind === 'unreadable')).toEqual([])
})

test('what was sealed before the conversation moved on is sealed again, once', async () => {
  const { left, right, conversation } = await pair('Erin', 'Frank')
  left.weather.cut()
  await offline(left)
  await left.send({ conversation, text: 'from the past' })
  const tablet = await world.signedIn('frank')
  await tablet.conversation('Erin')
  await tablet.send({ conversation, text: 'meanwhile' })
  await right.sees(conversation, ['meanwhile'])
  left.weather.restore()
  await left.sees(conversation, ['meanwhile', 'from the past'])
  await Promise.all([right, tablet].map((device) => device.sees(conversation, ['meanwhile', 'from the past'])))
})

test('sockets that end all the time lose, double and reorder nothing', async () => {
  const { left, right, conversation } = await pair('Grace', 'Heidi')
  const texts = Array.from({ length: 30 }, (_, at) => `message ${at}`)
  for (const [at, text] of texts.entries()) {
    await left.send({ conversation, text })
    if (at % 4 === 0) left.weather.endSockets()
    if (at % 7 === 0) right.weather.endSockets()
    if (at % 10 === 9) await left.restart()
  }
  await right.sees(conversation, texts)
  await left.sees(conversation, texts)
  expect(await right.restart()).toBeUndefined()
  await right.sees(conversation, texts)
})

test('a server that restarts in between is weather', async () => {
  const { left, right, conversation } = await pair('Ivan', 'Judy')
  await left.send({ conversation, text: 'before' })
  await right.sees(conversation, ['before'])
  await world.restartServer()
  await left.send({ conversation, text: 'after' })
  await right.sees(conversation, ['before', 'after'])
})

test('whoever was added two days ago and comes only now finds nothing dated before what it follows', async () => {
  const clock = new ShiftedClock()
  await using later = await openWorld({ clock })
  const [alice, bob] = await Promise.all([later.signedUp('Alice'), later.signedUp('Bob')])
  bob.weather.cut()
  await offline(bob)
  const conversation = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation, text: 'two days ago' })
  await alice.messageBecomes(conversation, 'two days ago', 'accepted')
  clock.ahead = 2 * 86_400_000
  bob.weather.restore()
  await bob.conversation('Alice')
  await bob.sees(conversation, ['two days ago'])
  const timeline = await until(bob.watch('timeline', conversation), (now) => now !== undefined && now.items.length > 1)
  const times = (timeline?.items ?? []).map(({ time }) => time)
  expect(times).toEqual(times.toSorted((one, other) => one - other))
})
