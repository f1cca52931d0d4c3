import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, until, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const linking = async <K extends string>(device: WorldDevice, kind: K) => {
  const state = await until(device.watch('linking'), (now) => now.kind === kind || now.kind === 'over')
  if (state.kind !== kind) throw new Error(`it is ${JSON.stringify(state)}`)
  return state as Extract<typeof state, { kind: K }>
}

test('a new device is linked by typed code, has the conversations, and writes', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const direct = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation: direct, text: 'from the first' })
  await bob.sees(direct, ['from the first'])

  const tablet = await world.device('tablet')
  await tablet.beginLinking({ deviceName: 'Tablet' })
  const { code } = await linking(tablet, 'showing')
  await alice.claimLink({ code: code.toLowerCase() })
  const [here, there] = [await linking(alice, 'comparing'), await linking(tablet, 'comparing')]
  expect(here.digits).toMatch(/^\d{6}$/)
  expect(there).toMatchObject({ digits: here.digits, handle: 'Alice' })
  await alice.proveByPassword({ password: PASSWORD })
  await alice.approveLink()
  expect(alice.watch('linking').get()).toEqual({ kind: 'done', side: 'old' })
  await until(tablet.watch('session'), ({ kind }) => kind === 'signed_in')
  await tablet.conversation('Bob')
  await tablet.send({ conversation: direct, text: 'from the tablet' })
  await bob.sees(direct, ['from the first', 'from the tablet'])
  expect((await alice.devices()).map(({ name }) => name).toSorted()).toEqual(['Device', 'Tablet'])
})

test('a device that its owner removes is out of every conversation, and its session, store key and vault key open nothing', async () => {
  const carol = await world.signedUp('Carol')
  const dave = await world.signedUp('Dave')
  const direct = await carol.startDirect({ handle: 'dave' })
  const phone = await world.signedIn('carol')
  await phone.conversation('Dave')
  await dave.details(direct, ({ members }) => members.some(({ devices }) => devices === 2))
  const lost = (await carol.devices()).find(({ current }) => !current)
  if (!lost) throw new Error('no other device')
  await carol.nameDevice({ device: lost.device, name: 'Old phone' })
  expect((await carol.devices()).map(({ name }) => name)).toContain('Old phone')
  await carol.removeDevice({ device: lost.device })
  await until(phone.watch('session'), ({ kind }) => kind === 'session_ended')
  await dave.details(direct, ({ members }) => members.every(({ devices }) => devices === 1))
  await dave.send({ conversation: direct, text: 'not for the lost one' })
  await carol.sees(direct, ['not for the lost one'])
  await phone.sees(direct, [])
  expect((await carol.devices()).length).toBe(1)
})
