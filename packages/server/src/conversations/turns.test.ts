import { Refusal, type ConversationId, type DeviceId } from '@tacit/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { createInProcessBus } from '../bus/in-process.ts'
import { newConversation } from '../delivery/rooms.test-support.ts'
import { newDeviceId } from '../identity.test-support.ts'
import { Turns } from './turns.ts'

const SECOND = 1000

let now: number
let turns: Turns
let told: DeviceId[]
let gone: Set<DeviceId>
let conversation: ConversationId
const devices = Array.from({ length: 64 }, newDeviceId)
const [alice, bob, carol] = devices as [DeviceId, DeviceId, DeviceId]

beforeEach(() => {
  now = 1_800_000_000_000
  told = []
  gone = new Set()
  conversation = newConversation()
  // The lot always falls on the first.
  const random = { bytes: (length: number) => new Uint8Array(length), id: () => '' }
  const bus = createInProcessBus((error) => {
    throw error
  })
  turns = new Turns({
    bus,
    clock: { now: () => now },
    random,
    isConnected: (device) => !gone.has(device),
    tell: (device) => void told.push(device),
  })
})

/** Lets seconds pass, sweeping as the socket's door does. */
function pass(seconds: number): void {
  for (let second = 0; second < seconds; second++) turns.sweep((now += SECOND))
}

const ask = (device: DeviceId, work: 'tidy' | 'update' | 'none', epoch = 1): void =>
  turns.ask({ conversation, device, now, standing: { isMember: true, epoch } }, { epoch, work })
const accepted = (device: DeviceId, epoch: number): void => turns.accepted({ conversation, device, epoch })
const lost = (device: DeviceId, times: number): void => {
  for (let time = 0; time < times; time++) turns.lost({ conversation, device, epoch: 1 })
}
const isAdmitted = (device: DeviceId): boolean => {
  try {
    turns.admit({ conversation, device, now })
    return true
  } catch (error) {
    if (error instanceof Refusal && error.failure === 'busy') return false
    throw error
  }
}

describe('tidying up', () => {
  test('of all who ask one gets the turn, and after its commit nobody else does', () => {
    for (const device of devices) ask(device, 'tidy')
    pass(5)
    expect(told).toEqual([alice])
    accepted(alice, 2)
    pass(60)
    expect(told).toEqual([alice])
  })

  test('when the turn is not used it goes to the next after ten seconds', () => {
    for (const device of [alice, bob]) ask(device, 'tidy')
    pass(10)
    expect(told).toEqual([alice])
    pass(1)
    expect(told).toEqual([alice, bob])
  })

  test('when its device goes away the next gets the turn at once, and who is gone is not asked', () => {
    for (const device of [alice, bob, carol]) ask(device, 'tidy')
    pass(1)
    gone.add(alice).add(bob)
    pass(1)
    expect(told).toEqual([alice, carol])
  })

  test('a device that has nothing to do any more gives the turn back', () => {
    for (const device of [alice, bob]) ask(device, 'tidy')
    pass(1)
    ask(alice, 'none')
    pass(1)
    expect(told).toEqual([alice, bob])
  })

  test('the turn goes to whoever committed longest ago', () => {
    ask(alice, 'tidy')
    accepted(alice, 2)
    pass(1)
    accepted(bob, 3)
    for (const device of [bob, alice]) ask(device, 'tidy', 3)
    pass(1)
    expect(told.at(-1)).toBe(alice)
    ask(carol, 'tidy', 3)
    pass(11)
    expect(told.at(-1)).toBe(carol)
  })

  test('a device that is behind is not asked about an epoch that is over', () => {
    turns.ask({ conversation, device: alice, now, standing: { isMember: true, epoch: 2 } }, { epoch: 1, work: 'tidy' })
    pass(5)
    expect(told).toEqual([])
  })
})

describe('own keys', () => {
  test('after a big add the joiners update one after the other, five seconds apart, each once', () => {
    for (const device of devices) ask(device, 'update')
    let epoch = 1
    const at: number[] = []
    for (let second = 0; second < 64 * 6 + 5; second++) {
      pass(1)
      const device = told.at(-1)
      if (told.length === at.length || !device) continue
      at.push(now)
      accepted(device, ++epoch)
    }
    expect(told.toSorted()).toEqual(devices.toSorted())
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5 * SECOND)
  })

  test('wait until nothing is left to tidy', () => {
    ask(alice, 'update')
    ask(bob, 'tidy')
    pass(1)
    expect(told).toEqual([bob])
  })

  test('a place in the queue outlives the commits of others', () => {
    for (const device of [alice, bob]) ask(device, 'update')
    pass(1)
    accepted(alice, 2)
    pass(4)
    expect(told).toEqual([alice])
    pass(1)
    expect(told).toEqual([alice, bob])
  })
})

describe('DS8: a device that keeps losing', () => {
  test('gets two seconds after the third race, in which routine commits of others are refused', () => {
    lost(alice, 2)
    expect(isAdmitted(bob)).toBe(true)
    lost(alice, 1)
    expect([isAdmitted(alice), isAdmitted(bob)]).toEqual([true, false])
    now += 2 * SECOND
    expect(isAdmitted(bob)).toBe(true)
  })

  test('gives them back by its commit, and begins to count anew', () => {
    lost(alice, 3)
    accepted(alice, 2)
    expect(isAdmitted(bob)).toBe(true)
    lost(alice, 2)
    expect(isAdmitted(bob)).toBe(true)
  })

  test('does not take them from another such device', () => {
    lost(alice, 3)
    lost(bob, 3)
    expect([isAdmitted(alice), isAdmitted(bob)]).toEqual([true, false])
  })
})

test('who is no member is told that there is nothing', () => {
  const standing = { isMember: false, epoch: 1 }
  expect(() => turns.ask({ conversation, device: alice, now, standing }, { epoch: 1, work: 'tidy' })).toThrow(new Refusal('not_found'))
})

describe('several servers', () => {
  /** Another server, with people of its own, on the same bus. */
  let elsewhere: Turns
  const askElsewhere = (device: DeviceId): void =>
    elsewhere.ask({ conversation, device, now, standing: { isMember: true, epoch: 1 } }, { epoch: 1, work: 'tidy' })
  beforeEach(() => {
    const bus = createInProcessBus((error) => {
      throw error
    })
    const random = { bytes: (length: number) => new Uint8Array(length), id: () => '' }
    const shared = { bus, clock: { now: () => now }, random, tell: (device: DeviceId) => void told.push(device) }
    turns = new Turns({ ...shared, isConnected: (device) => device !== bob })
    elsewhere = new Turns({ ...shared, isConnected: (device) => device === bob })
  })

  test('give one turn at a time among all their people', () => {
    ask(alice, 'tidy')
    askElsewhere(bob)
    pass(1)
    elsewhere.sweep(now)
    pass(5)
    elsewhere.sweep(now)
    expect(told).toEqual([alice])
    pass(5)
    elsewhere.sweep(now)
    expect(told).toEqual([alice, bob])
  })

  test('see each other’s commits: nobody tidies what is tidied already', () => {
    ask(alice, 'tidy')
    askElsewhere(bob)
    elsewhere.sweep(now)
    elsewhere.accepted({ conversation, device: bob, epoch: 2 })
    pass(20)
    expect(told).toEqual([bob])
  })

  test('keep a moment free for a device that keeps losing, wherever the others are', () => {
    for (let time = 0; time < 3; time++) elsewhere.lost({ conversation, device: bob, epoch: 1 })
    expect(isAdmitted(alice)).toBe(false)
    elsewhere.accepted({ conversation, device: bob, epoch: 2 })
    expect(isAdmitted(alice)).toBe(true)
  })
})
