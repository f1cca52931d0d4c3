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
