import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { createConversation, Device, messageBody } from './device.test-support.ts'
import { upgradeOutcome } from './upgrade.test-support.ts'

/** Time as the loop feels it: between two beats so much passes as a test says, milliseconds. */
const time = { at: 0, passes: 0 }
let town: Town
let alice: Member

beforeEach(async () => {
  time.passes = 0
  town = await openTown({}, { elapsed: () => (time.at += time.passes) })
  alice = await member(town, 'alice')
})
afterEach(() => town.close())

const upgradeName = async (): Promise<string | undefined> => (await upgradeOutcome(town.url)).name
const status = async (path: string): Promise<number> => (await town.request(path)).status

describe('L-26: a server whose event loop is late', () => {
  test('by more than 200 ms lets nobody new in, and serves those who are in', async () => {
    const conversation = await createConversation(town, alice)
    const device = await Device.online(town, alice)
    time.passes = 500
    await expect.poll(upgradeName).toBe('unavailable')
    expect(await upgradeOutcome(town.url)).toMatchObject({ status: 503, retryAfter: 2 })
    expect(await device.outcome('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: 1 }))).toBe('accepted')
    expect(await status('/v1/server')).not.toBe(503)
    time.passes = 0
    await expect.poll(upgradeName, { timeout: 5000 }).toBeUndefined()
    device.socket.terminate()
  })

  test('by more than a second refuses new work with when to come back, and still takes what frees it', async () => {
    const conversation = await createConversation(town, alice)
    const device = await Device.online(town, alice)
    const send = () => device.ask('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: 1 }))
    time.passes = 2500
    await expect.poll(() => status('/v1/me')).toBe(503)
    expect(await send()).toMatchObject({ kind: 'refused', failure: 'unavailable', details: { retryAfter: 2 } })
    expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
    expect(await status('/health/live')).toBe(200)
    const ready = await town.request<{ reasons: string[] }>('/health/ready')
    expect(ready.body.reasons).toContain('the server is overloaded')
    time.passes = 0
    await expect.poll(async () => (await send()).kind, { timeout: 5000 }).toBe('accepted')
    device.socket.terminate()
  })
})
