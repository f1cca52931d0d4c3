import { CONTRACT_VERSION, closeCodes, encodeCommand } from '@tacit/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort, member, metricsOf, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'
import { createConversation, Device, messageBody, newConversationId, Talker } from './device.test-support.ts'
import { frame, opcodes, RawSocket } from './raw-socket.test-support.ts'
import { upgradeOutcome } from './upgrade.test-support.ts'

/** Time that tests move; the server's sweep looks at it once a real second. */
const clock = { time: Date.now(), now: () => clock.time }
let town: Town
let alice: Member

/** With the limits of a public server. */
beforeEach(async () => {
  town = await openTown({ limitsFactor: 1, metricsPort: await freePort() }, { clock })
  alice = await member(town, 'alice')
})
afterEach(() => town.close())

const open: Device[] = []
const connected = async (device: Promise<Device>): Promise<Device> => {
  open.push(await device)
  return device
}
afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()))

/** Time passes, and the server has looked after all sockets since: this one is closed for its missing hello by the same sweep. */
async function sweepAfter(milliseconds: number): Promise<void> {
  const witness = await Device.open(town)
  clock.time += milliseconds
  await witness.closed
}

describe('a socket that is silent or too loud', () => {
  test('B-060: a flood of pings closes with 4429', async () => {
    const device = await connected(Device.online(town, alice))
    for (let at = 0; at < 1000; at++) device.socket.ping()
    expect(await device.closed).toBe(closeCodes.flooding)
  })

  test('B-061: who does not answer pings is gone within 45 s', async () => {
    const device = await connected(Device.open(town, { autoPong: false }))
    await device.hello(alice.token)
    let pings = 0
    device.socket.on('ping', () => (pings += 1))
    clock.time += 26_000
    await expect.poll(() => pings, { timeout: 5000 }).toBeGreaterThan(0)
    clock.time += 18_000
    expect(await device.closed).toBe(1006)
  })

  test('B-061: who answers pings and says nothing else stays', async () => {
    const device = await connected(Device.online(town, alice))
    let pings = 0
    device.socket.on('ping', () => (pings += 1))
    for (const time of [1, 2, 3]) {
      clock.time += 26_000
      await expect.poll(() => pings, { timeout: 5000 }).toBe(time)
      await sweepAfter(6000)
    }
    expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
  })

  test('B-063: a flood of frames is refused, and closed with 4429 after three refusals', async () => {
    const device = await connected(Device.online(town, alice))
    const outcomes: string[] = []
    for (let at = 0; at < 1000; at++) void device.outcome('delivery.acknowledge', { cursors: [] }).then((outcome) => outcomes.push(outcome))
    expect(await device.closed).toBe(closeCodes.flooding)
    expect(outcomes.filter((outcome) => outcome === 'rate_limited')).toHaveLength(3)
  })

  test('a device that floods and comes back has no new budget, and large frames cost more than small ones', async () => {
    const flood = async (device: Device, bytes: number): Promise<number> => {
      const outcomes: string[] = []
      const conversation = newConversationId()
      for (let at = 0; at < 500; at++)
        void device
          .outcome('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: 1 }, bytes))
          .then((outcome) => outcomes.push(outcome))
      expect(await device.closed).toBe(closeCodes.flooding)
      return outcomes.length
    }
    const bob = await member(town, 'bob')
    const small = await flood(await Device.online(town, alice), 100)
    const back = await Device.open(town)
    await back.hello(alice.token)
    const again = await flood(back, 100)
    const large = await flood(await Device.online(town, bob), 60_000)
    expect(small).toBeGreaterThan(300)
    expect(again).toBeLessThan(10)
    expect(large).toBeLessThan(40)
  })

  test('who goes on after they were closed is not read any more, and gone a second later', async () => {
    const flood = await RawSocket.upgrade(town.url)
    for (let at = 0; at < 500; at++) flood.write(frame({ opcode: opcodes.ping }))
    expect(await flood.closeCode()).toBe(closeCodes.flooding)
    const more = frame({ payload: new Uint8Array(60_000) })
    let taken = 0
    const goOn = (): void => {
      taken += more.length
      if (taken < 64 * 1024 * 1024) flood.socket.write(more, (error) => error || goOn())
    }
    goOn()
    await expect.poll(() => flood.socket.closed).toBe(true)
    expect(taken).toBeLessThan(32 * 1024 * 1024)
  })

  test('L-16: sends beyond the device’s budget are refused with when to go on, and the socket stays', async () => {
    const conversation = await createConversation(town, alice)
    const device = await connected(Device.online(town, alice))
    const answers = await Promise.all(
      Array.from({ length: 70 }, (_, at) => device.ask('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: at + 1 }))),
    )
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(60)
    expect(answers.at(-1)).toMatchObject({ failure: 'rate_limited', details: { retryAfter: 1 } })
    expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
  })

  test('B-071: a reader that reads nothing is paused, then closed with 4008', async () => {
    const conversation = await createConversation(town, alice)
    const talker = await Talker.online(town, alice)
    for (let at = 0; at < 17; at++) {
      await talker.device.expect('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: at + 1 }, 61_000))
    }
    const reader = await RawSocket.upgrade(town.url)
    reader.write(
      frame({
        payload: encodeCommand({ ref: 1, name: 'connection.hello', body: { accessToken: alice.token, contract: CONTRACT_VERSION } }),
      }),
    )
    await expect.poll(() => reader.received.length).toBeGreaterThan(0)
    reader.socket.pause()
    const phone = await connected(Device.online(town, await secondDevice(town, alice.person)))
    let ref = 1
    const isSlow = async (): Promise<boolean> => (await metricsOf(town)).includes('tacit_sockets_slow 1\n')
    const comeAgain = async (): Promise<void> => {
      reader.write(
        frame({ payload: encodeCommand({ ref: ++ref, name: 'delivery.resume', body: { cursors: [{ conversation, seq: 0 }] } }) }),
      )
      // While another device of the account comes in twice, the reader is given what a device that has just come may leave unacknowledged.
      for (let trip = 0; trip < 2; trip++) {
        const before = phone.bodies('delivery.caughtUp').length
        await phone.expect('delivery.resume', { cursors: [] })
        await phone.until(() => phone.bodies('delivery.caughtUp').length > before)
      }
    }
    while (!(await isSlow())) await comeAgain()
    // Eight times as much as would close it at once, if it were given.
    for (let more = 0; more < 64; more++) await comeAgain()
    expect(await isSlow()).toBe(true)
    await sweepAfter(31_000)
    reader.socket.resume()
    expect(await reader.closeCode()).toBe(closeCodes.tooSlow)
    reader.socket.destroy()
  })

  test('B-069: a loop of connects is refused with a delay that grows', async () => {
    const waits: number[] = []
    while (waits.length < 5) {
      const { status, retryAfter } = await upgradeOutcome(town.url)
      if (status !== 429) continue
      expect(await upgradeOutcome(town.url)).toMatchObject({ status: 429, name: 'rate_limited' })
      waits.push(retryAfter)
      clock.time += retryAfter * 1000
    }
    expect(waits).toEqual([1, 2, 4, 8, 16])
  })
})

describe('many sockets', () => {
  test('B-068: of one device the newest wins, and the older ones close with 4409', async () => {
    const devices: Device[] = []
    for (let at = 0; at < 50; at++) devices.push(await connected(Device.online(town, alice)))
    const codes = await Promise.all(devices.slice(0, -1).map(({ closed }) => closed))
    expect(new Set(codes)).toEqual(new Set([closeCodes.replaced]))
    expect(await devices.at(-1)?.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
  })

  test('B-068 L-10: of one address are refused beyond the limit, at the handshake', async () => {
    clock.time += 60_000
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => Device.open(town).then(connectedNow, refusedNow)))
    expect(outcomes.filter((outcome) => outcome === 'open').length).toBeLessThanOrEqual(20)
    expect(await upgradeOutcome(town.url)).toMatchObject({ status: 429, name: 'rate_limited' })
  })
  const connectedNow = (device: Device): string => {
    open.push(device)
    return 'open'
  }
  const refusedNow = (): string => 'refused'
})
