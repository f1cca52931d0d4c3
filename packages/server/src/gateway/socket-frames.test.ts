import { limits, CONTRACT_VERSION, closeCodes, encodeCbor, encodeCommand } from '@tacit/contract'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { Device, newConversationId } from './device.test-support.ts'
import { frame, opcodes, RawSocket } from './raw-socket.test-support.ts'

let town: Town
let alice: Member

beforeAll(async () => {
  town = await openTown()
  alice = await member(town, 'alice')
})
afterAll(() => town.close())

const open: Device[] = []
const connected = async (device: Promise<Device>): Promise<Device> => {
  open.push(await device)
  return device
}
afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()))

describe('frames that are none of ours', () => {
  const raw = () => RawSocket.upgrade(town.url)
  const closesWith = async (code: number, ...frames: Uint8Array[]): Promise<void> => {
    const socket = await raw()
    socket.write(...frames)
    expect(await socket.closeCode()).toBe(code)
    socket.socket.destroy()
  }

  test('B-055: text closes with 1003, invalid UTF-8 with 1007', async () => {
    await closesWith(1003, frame({ opcode: opcodes.text, payload: Buffer.from('{}') }))
    await closesWith(1007, frame({ opcode: opcodes.text, payload: Buffer.of(0xc3, 0x28) }))
  })

  test('B-056: a frame that says it is larger than allowed closes with 1009 before its bytes come', async () => {
    await closesWith(1009, frame({ claimedLength: BigInt(limits.frame) + 1n }))
    await closesWith(1009, frame({ claimedLength: 2n ** 62n }))
  })

  test('B-057: more than 64 fragments close with 1008, also with pings between them', async () => {
    const fragments = Array.from({ length: 1000 }, (_, at) =>
      frame({ opcode: at === 0 ? opcodes.binary : opcodes.continuation, payload: Buffer.of(1), final: false }),
    )
    await closesWith(1008, ...fragments)
    await closesWith(1008, ...fragments.flatMap((fragment) => [fragment, frame({ opcode: opcodes.ping })]))
  })

  test('B-058: an unmasked frame, reserved bits or an unknown opcode close with 1002', async () => {
    await closesWith(1002, frame({ masked: false, payload: Buffer.of(1) }))
    for (const reserved of [0x40, 0x20, 0x10]) await closesWith(1002, frame({ reserved, payload: Buffer.of(1) }))
    for (const opcode of [3, 7, 11, 15]) await closesWith(1002, frame({ opcode }))
    await closesWith(1002, frame({ opcode: opcodes.continuation, payload: Buffer.of(1) }))
  })

  test('B-059: a control frame over 125 bytes or in fragments closes with 1002', async () => {
    await closesWith(1002, frame({ opcode: opcodes.ping, payload: Buffer.alloc(126) }))
    await closesWith(1002, frame({ opcode: opcodes.ping, final: false }))
  })

  test('B-064: an unknown command is refused and the socket stays; what is no command at all ends it', async () => {
    const device = await connected(Device.online(town, alice))
    const answers: number[] = []
    device.socket.on('message', () => answers.push(1))
    device.socket.send(encodeCbor([1, 77, 200, []]))
    await expect.poll(() => answers).toHaveLength(1)
    expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
    device.socket.send(encodeCbor([255, 1, 2]))
    expect(await device.closed).toBe(closeCodes.malformed)
  })

  test('B-070: a signal larger than any frame closes with 1009', async () => {
    const device = await connected(Device.online(town, alice))
    device.socket.send(
      encodeCommand({
        ref: 1,
        name: 'signals.send',
        body: { conversation: newConversationId(), epoch: 0, keep: false, bytes: new Uint8Array(limits.frame) },
      }),
    )
    expect(await device.closed).toBe(1009)
  })

  test('a body of the wrong shape is refused by its number, and nothing else happens', async () => {
    const device = await connected(Device.online(town, alice))
    const conversation = newConversationId()
    const bodies = [
      [],
      [conversation],
      [conversation, -1, 1, new Uint8Array(1)],
      [conversation, 0, 0, new Uint8Array(1)],
      [conversation, 0, 1, 'text'],
      [7, 0, 1, new Uint8Array(1)],
      [conversation, 0, 1, new Uint8Array(65_537)],
    ]
    for (const [at, body] of bodies.entries()) device.socket.send(encodeCbor([1, 500 + at, 4, body]))
    expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
    expect(device.socket.readyState).toBe(device.socket.OPEN)
  })

  test('B-072: a good frame cut at any byte works', async () => {
    const hello = frame({
      payload: encodeCommand({ ref: 1, name: 'connection.hello', body: { accessToken: alice.token, contract: CONTRACT_VERSION } }),
    })
    for (let cut = 1; cut < hello.length; cut++) {
      const socket = await raw()
      socket.socket.setNoDelay(true)
      socket.write(hello.subarray(0, cut))
      await new Promise(setImmediate)
      socket.write(hello.subarray(cut))
      await expect.poll(() => socket.received.includes(Buffer.from(alice.device)), { interval: 2 }).toBe(true)
      socket.socket.destroy()
    }
  })
})
