import { expect, test } from 'vitest'
import {
  AccountId,
  closeCodes,
  CONTRACT_VERSION,
  decodeCommand,
  DeviceId,
  encodeAccepted,
  encodeEvent,
  encodeRefused,
  type CommandName,
} from '@tacit/contract'
import { HandClock, settled } from '../hand-clock.test-support.ts'
import { platformRandom, type Network, type SocketListener } from '../surroundings.ts'
import { Connection } from './connection.ts'
import { Session } from './session.ts'

const account = AccountId.parse('AAAAAAAAAAAAAAAAAAAAAA')
const device = DeviceId.parse('AAAAAAAAAAAAAAAAAAAAAA')
const token = 'a'.repeat(43)

/** The other end of the socket, as far as a connection needs one. */
class FarEnd {
  readonly heard: CommandName[] = []
  sockets = 0
  silent = false
  tooOld = false
  refuses: CommandName | undefined
  online = true
  #listener: SocketListener | undefined
  #hint = () => {}

  readonly network: Network = {
    fetch: async () => Promise.reject(new TypeError('no HTTP here')),
    openSocket: ({ listener }) => {
      this.sockets += 1
      this.#listener = listener
      if (!this.silent) queueMicrotask(() => listener.opened())
      return { send: (bytes) => this.#answer(bytes), close: () => undefined }
    },
    isOnline: () => this.online,
    onHint: (listener) => {
      this.#hint = listener
      return () => undefined
    },
  }

  hint(online: boolean): void {
    this.online = online
    this.#hint()
  }

  caughtUp(): void {
    this.#listener?.received(encodeEvent({ name: 'delivery.caughtUp', body: {} }))
  }

  end(code: number): void {
    this.#listener?.closed(code)
  }

  send(bytes: Uint8Array): void {
    this.#listener?.received(bytes)
  }

  #answer(bytes: Uint8Array): void {
    const command = decodeCommand(bytes)
    if (command.type !== 'command') throw new Error('not a command')
    this.heard.push(command.name)
    const { ref, name } = command
    if (this.silent) return
    if (this.tooOld) return this.#listener?.received(encodeRefused({ ref, failure: 'client_too_old' }))
    if (this.refuses === name) return this.#listener?.received(encodeRefused({ ref, failure: 'rate_limited' }))
    const result = { account, device, contract: CONTRACT_VERSION, time: 0, expiresIn: 900 }
    if (name === 'connection.hello') this.#listener?.received(encodeAccepted({ ref, name, result }))
    else this.#listener?.received(encodeAccepted({ ref, name: 'delivery.resume', result: {} }))
  }
}

function open(handle: () => Promise<void> = async () => undefined, fraction = 1) {
  const far = new FarEnd()
  const clock = new HandClock()
  const surroundings = { clock, network: far.network, random: { ...platformRandom, fraction: () => fraction } }
  const tokens = { accessToken: token, accessUntil: clock.now() + 90_000_000, refreshToken: token }
  const server = { url: 'http://server', network: far.network }
  const session = new Session({ server, clock, tokens, save: async () => undefined, ended: () => undefined })
  const connection = new Connection({ url: server.url, surroundings, session, cursors: async () => [], handle })
  return { far, clock, connection, state: () => connection.state.get().kind }
}

test('it greets, resumes, catches up, and is online when everything before was dealt with', async () => {
  const { far, connection, state } = open()
  connection.start()
  expect(state()).toBe('connecting')
  await settled()
  expect(far.heard).toEqual(['connection.hello', 'delivery.resume'])
  expect(state()).toBe('catching_up')
  far.caughtUp()
  await settled()
  expect(state()).toBe('online')
})

test('it comes back after 0.5, 1, 2, 4 seconds, at most 6 in the first ten minutes and 30 after them, and at once when the network does', async () => {
  const { far, clock, connection, state } = open()
  connection.start()
  await settled()
  const waits: number[] = []
  for (const began = clock.now(); clock.now() - began < 640_000;) {
    far.end(1006)
    expect(state()).toBe('waiting')
    const before = far.sockets
    const { until } = connection.state.get() as { until: number }
    waits.push(until - clock.now())
    await clock.pass(until - clock.now())
    expect(far.sockets).toBe(before + 1)
  }
  expect(waits.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 6000, 6000, 6000])
  expect(waits.slice(-2)).toEqual([30_000, 30_000])
  far.end(1006)
  far.hint(true)
  expect(state()).toBe('connecting')
})

test('after a connection that worked it begins again with half a second, anywhere within it', async () => {
  const { far, clock, connection } = open(undefined, 0.5)
  const waits: number[] = []
  const wait = async (): Promise<void> => {
    far.end(1006)
    const now = connection.state.get()
    const delay = now.kind === 'waiting' ? now.until - clock.now() : 0
    waits.push(delay)
    await clock.pass(delay)
  }
  connection.start()
  await settled()
  for (let time = 0; time < 3; time++) await wait()
  far.caughtUp()
  await settled()
  await wait()
  expect(waits).toEqual([250, 500, 1000, 250])
})

test('it rests while the platform says that there is no network', async () => {
  const { far, clock, connection, state } = open()
  far.online = false
  connection.start()
  expect(state()).toBe('offline')
  await clock.pass(600_000)
  expect(far.sockets).toBe(0)
  far.hint(true)
  await settled()
  expect(state()).toBe('catching_up')
  far.hint(false)
  expect(state()).toBe('offline')
})

test('a silent server is asked whether it is there, and left when it is not', async () => {
  const { far, clock, connection, state } = open()
  connection.start()
  await settled()
  far.caughtUp()
  await settled()
  await clock.pass(26_000)
  expect(far.heard.at(-1)).toBe('delivery.acknowledge')
  expect(state()).toBe('online')
  far.silent = true
  await clock.pass(60_000)
  expect(state()).not.toBe('online')
})

test('a server that refuses the question is there: it keeps its socket and is asked again', async () => {
  const { far, clock, connection, state } = open()
  connection.start()
  await settled()
  far.caughtUp()
  await settled()
  far.refuses = 'delivery.acknowledge'
  await clock.pass(26_000)
  await clock.pass(26_000)
  expect([far.heard.filter((name) => name === 'delivery.acknowledge').length, far.sockets, state()]).toEqual([2, 1, 'online'])
  far.silent = true
  await clock.pass(60_000)
  expect(state()).not.toBe('online')
})

test('a socket that never opens is given up', async () => {
  const { far, clock, connection, state } = open()
  far.silent = true
  connection.start()
  await settled()
  await clock.pass(25_000)
  expect(state()).toBe('waiting')
})

test('a device whose place was taken does not fight for it', async () => {
  const { far, clock, connection } = open()
  connection.start()
  await settled()
  far.end(closeCodes.replaced)
  await clock.pass(29_000)
  expect(far.sockets).toBe(1)
  await clock.pass(2000)
  expect(far.sockets).toBe(2)
})

test('a client that is too old stops asking', async () => {
  const { far, clock, connection, state } = open()
  far.tooOld = true
  connection.start()
  await settled()
  expect(state()).toBe('offline')
  await clock.pass(600_000)
  expect(far.sockets).toBe(1)
})

test('bytes that are no frame end the socket; an event that nobody can deal with, too', async () => {
  const { far, connection, state } = open(async () => Promise.reject(new Error('cannot')))
  connection.start()
  await settled()
  far.send(new Uint8Array([0xff]))
  expect(state()).toBe('waiting')
  far.hint(true)
  await settled()
  far.caughtUp()
  await settled()
  expect(state()).toBe('waiting')
})

test('a command is refused by name, and its outcome unknown when the socket ends', async () => {
  const { far, connection } = open()
  await expect(connection.send('delivery.acknowledge', { cursors: [] })).rejects.toMatchObject({ name: 'Unreachable' })
  connection.start()
  await settled()
  far.silent = true
  const open_ = connection.send('delivery.acknowledge', { cursors: [] })
  far.end(1006)
  await expect(open_).rejects.toMatchObject({ name: 'Unreachable' })
})

test('nothing is left running after stop', async () => {
  const { far, clock, connection, state } = open()
  connection.start()
  await settled()
  far.caughtUp()
  await settled()
  connection.stop()
  expect(clock.next).toBeUndefined()
  expect(state()).toBe('offline')
})
