/** What time alone would break: certificates and sessions that end, over more than a year. */
import { platformClock, type Clock } from '@tacit/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

const DAY = 86_400_000

/** The platform's clock, some days ahead for everybody. */
const clock: Clock & { days: number } = {
  days: 0,
  now: () => platformClock.now() + clock.days * DAY,
  after: (delay, work) => platformClock.after(delay, work),
}

let world: World
beforeAll(async () => {
  world = await openWorld({ clock })
})
afterAll(() => world[Symbol.asyncDispose]())

/** Opens the device again, as on any day; signs in again when the session has ended meanwhile. */
async function wakes(device: WorldDevice, handle: string): Promise<void> {
  await device.restart()
  const ended = until(device.watch('session'), ({ kind }) => kind === 'session_ended')
  const online = device.online()
  for (const one of [ended, online]) one.catch(() => undefined)
  if ((await Promise.race([ended, online]))?.kind !== 'session_ended') return
  await device.signIn({ handle, password: PASSWORD })
  await device.online()
}

const certifiedUntil = async (device: WorldDevice): Promise<number> =>
  Math.min(...(await device.devices()).filter(({ current }) => current).map(({ notAfter }) => notAfter))

const epochOf = async (device: WorldDevice, conversation: Parameters<WorldDevice['details']>[0]): Promise<number> =>
  (await device.details(conversation, () => true)).encryption.epoch

test('over 400 days two devices stay what they are, and a third still finds its way in', async () => {
  const [alice, bob] = await Promise.all([world.signedUp('Alice'), world.signedUp('Bob')])
  const conversation = await alice.startDirect({ handle: 'bob' })
  await bob.conversation('Alice')
  const silent = await alice.createGroup({ title: 'Silent', handles: ['bob'] })
  await bob.conversation('Silent')
  const texts: string[] = []
  let quiet = 0
  for (clock.days = 0; clock.days <= 400; clock.days += 25) {
    await wakes(alice, 'alice')
    await wakes(bob, 'bob')
    for (const device of [alice, bob]) {
      texts.push(`${device.name} on day ${clock.days}`)
      await device.send({ conversation, text: texts.at(-1) ?? '' })
      await Promise.all([alice.sees(conversation, texts), bob.sees(conversation, texts)])
    }
    await Promise.all([alice, bob].map((device) => device.settle({ within: 20_000 })))
    // Before any certificate is renewed, and after everything else that a new group gives rise to.
    if (clock.days === 150) quiet = await epochOf(alice, silent)
  }
  for (const device of [alice, bob]) expect(await certifiedUntil(device)).toBeGreaterThan(clock.now() + 60 * DAY)
  // Nobody wrote there, and still both have brought in what they are now.
  await alice.details(silent, ({ encryption }) => encryption.epoch >= quiet + 2)
  const tablet = await world.signedIn('alice')
  await Promise.all([tablet.conversation('Bob'), until(tablet.watch('details', silent), (details) => details?.standing === 'active')])
  await bob.send({ conversation, text: 'there you are' })
  const last = [...texts, 'there you are'].slice(-20)
  await until(
    tablet.watch('timeline', conversation),
    (timeline) =>
      textsOf(timeline?.items ?? [])
        .slice(-20)
        .join() === last.join(),
  )
}, 180_000)
