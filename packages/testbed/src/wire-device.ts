/**
 * A device that speaks the wire itself, without the SDK's manners: for hostile tests, for crash tests and for load. Its
 * keys, certificates and sign-up are real; what it sends as MLS messages is up to the test.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { client as opaque, ready } from '@serenity-kit/opaque'
import {
  AccountId,
  CONTRACT_VERSION,
  DeviceId,
  decodeFromServer,
  decodeResult,
  encodeCommand,
  signDeviceCertificate,
  signDeviceList,
  SOCKET_PATH,
  SUBPROTOCOL,
  toBase64Url,
  type BodyOf,
  type CborValue,
  type CommandName,
  type EventFrame,
  type FailureName,
  type ResultOf,
} from '@tacit/contract'
import type { LeafIdentity } from '@tacit/mls'
import { WebSocket } from 'ws'

/** What came back from an HTTP request: the decoded JSON, untyped, as a hostile client would look at it. */
export interface WireAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface WireDevice {
  readonly url: string
  readonly handle: string
  readonly account: AccountId
  readonly device: DeviceId
  readonly accessToken: string
  readonly refreshToken: string
  readonly accountKeys: CryptoKeyPair
  /** What the device is in a group. */
  readonly identity: LeafIdentity
  /** The current device list, as the server has it. */
  readonly deviceList: Uint8Array<ArrayBuffer>
  request(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<WireAnswer>
  socket(): Promise<WireSocket>
}

/** Only the device does this work, and these passwords guard nothing. */
const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 64, parallelism: 1 } }

/** 16 random bytes as an id. */
export const randomId = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(16)))

/** Signs up by password over the wire. `keyPackages` are published as they are. */
export async function signUpOnWire({
  url,
  handle,
  keyPackages = [],
}: {
  url: string
  handle: string
  keyPackages?: readonly Uint8Array[]
}): Promise<WireDevice> {
  await ready
  const account = AccountId.parse(randomId())
  const device = DeviceId.parse(randomId())
  const accountKeys = await ed25519Pair()
  const deviceKeys = await ed25519Pair()
  const signature = { publicKey: await rawKey(deviceKeys), secretKey: await seedOf(deviceKeys) }
  const { certificate, deviceList } = await firstDeviceList({ account, device, accountKeys, signatureKey: signature.publicKey })
  const password = `password of ${handle}`
  const { clientRegistrationState, registrationRequest } = opaque.startRegistration({ password })
  const start = await askAgain({ url, method: 'POST', path: '/v1/accounts/password/start', body: { account, handle, registrationRequest } })
  const registrationResponse = String(start.body['registrationResponse'])
  const { registrationRecord } = opaque.finishRegistration({ password, registrationResponse, clientRegistrationState, keyStretching })
  const [lastResort, ...oneTime] = keyPackages.map(toBase64Url)
  const answer = await askAgain({
    url,
    method: 'POST',
    path: '/v1/accounts',
    body: {
      account,
      handle,
      accountKey: toBase64Url(await rawKey(accountKeys)),
      method: { kind: 'password', registrationRecord },
      enrolment: { device, deviceList: toBase64Url(deviceList), keys: { oneTime, ...(lastResort !== undefined && { lastResort }) } },
      vault: toBase64Url(crypto.getRandomValues(new Uint8Array(64))),
      unlock: { id: randomId(), kind: 'password', wrappedKey: toBase64Url(crypto.getRandomValues(new Uint8Array(60))) },
    },
  })
  if (answer.status !== 201) throw new Error(`sign-up of ${handle} was refused: ${answer.status} ${answer.text}`)
  const accessToken = String(answer.body['accessToken'])
  return {
    url,
    handle,
    account,
    device,
    accessToken,
    refreshToken: String(answer.body['refreshToken']),
    accountKeys,
    identity: { credential: certificate, signature },
    deviceList,
    request: (method, path, body, headers = {}) =>
      ask({ url, method, path, body, headers: { authorization: `Bearer ${accessToken}`, ...headers } }),
    socket: () => WireSocket.open({ url, accessToken }),
  }
}

/** Signs in again with the password that `signUpOnWire` used: a session without a device. */
export async function signInOnWire({ url, handle }: { url: string; handle: string }): Promise<{ accessToken: string }> {
  await ready
  const password = `password of ${handle}`
  const { clientLoginState, startLoginRequest } = opaque.startLogin({ password })
  const start = await ask({ url, method: 'POST', path: '/v1/sessions/password/start', body: { handle, startLoginRequest } })
  const finished = opaque.finishLogin({ clientLoginState, loginResponse: String(start.body['loginResponse']), password, keyStretching })
  if (!finished) throw new Error('the password did not open the login response')
  const body = { challenge: start.body['challenge'], finishLoginRequest: finished.finishLoginRequest }
  const answer = await ask({ url, method: 'POST', path: '/v1/sessions/password/finish', body })
  if (answer.status !== 201) throw new Error(`sign-in of ${handle} was refused: ${answer.status} ${answer.text}`)
  return { accessToken: String(answer.body['accessToken']) }
}

/** How often a device knocks at a server that is too busy to let it in, and how long it waits between, milliseconds. */
const KNOCKS = 40
const BETWEEN_KNOCKS = 250

/** The same request until the server has time for it (L-26): a machine that runs everything at once is often late. */
async function askAgain(request: Parameters<typeof ask>[0]): Promise<WireAnswer> {
  for (let knock = 1; ; knock++) {
    const answer = await ask(request)
    if (answer.status !== 503 || knock === KNOCKS) return answer
    await pause(BETWEEN_KNOCKS)
  }
}

/** One HTTP request with a JSON body. */
export async function ask({
  url,
  method,
  path,
  body,
  headers = {},
}: {
  url: string
  method: string
  path: string
  body?: unknown
  headers?: Readonly<Record<string, string>>
}): Promise<WireAnswer> {
  const answer = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: recordFrom(text), text }
}

/** The answer to a command: its result, or the failure by name. */
export type CommandAnswer<N extends CommandName> =
  | { readonly ok: true; readonly result: ResultOf<N> }
  | { readonly ok: false; readonly failure: FailureName; readonly details: object }

export interface SocketOptions {
  readonly url: string
  /** Hears each event; without it the socket keeps them. */
  readonly onEvent?: (event: EventFrame) => void
}

/** How long to wait for a socket to open, milliseconds. */
const OPENS_WITHIN = 5000

/** A socket that keeps every event it got, or passes it on. */
export class WireSocket {
  readonly events: EventFrame[] = []
  /** Resolves with the close code. */
  readonly closed: Promise<number>
  #isDropped = false
  readonly #socket: WebSocket
  readonly #onEvent: (event: EventFrame) => void
  readonly #waiting = new Map<
    number,
    (answer: { ok: true; result: CborValue } | { ok: false; failure: FailureName; details: object }) => void
  >()
  readonly #listeners = new Set<() => void>()
  #ref = 0

  /** Opens and says hello. */
  static async open({ accessToken, ...options }: SocketOptions & { accessToken: string }): Promise<WireSocket> {
    const socket = await WireSocket.connect(options)
    const hello = await socket.command('connection.hello', { accessToken, contract: CONTRACT_VERSION })
    if (!hello.ok) throw new Error(`hello was refused: ${hello.failure}`)
    return socket
  }

  /** Opens and says nothing; knocks again while the server is too busy. */
  static async connect(options: SocketOptions): Promise<WireSocket> {
    for (let knock = 1; knock < KNOCKS; knock++) {
      const socket = await WireSocket.#knock(options)
      if (socket) return socket
      await pause(BETWEEN_KNOCKS)
    }
    throw new Error('the socket could not be opened: the server is too busy')
  }

  /** Undefined when the server answers 503. */
  static async #knock({ url, onEvent }: SocketOptions): Promise<WireSocket | undefined> {
    const address = url.replace(/^http/, 'ws') + SOCKET_PATH
    const socket = new WebSocket(address, [SUBPROTOCOL], { perMessageDeflate: false, handshakeTimeout: OPENS_WITHIN })
    socket.binaryType = 'arraybuffer'
    const { promise, resolve, reject } = Promise.withResolvers<'open' | 'busy'>()
    socket.addEventListener('open', () => resolve('open'))
    socket.on('unexpected-response', (_, response) => {
      if (response.statusCode === 503) resolve('busy')
      socket.terminate()
    })
    socket.addEventListener('error', () => reject(new Error('the socket could not be opened')))
    return (await promise) === 'open' ? new WireSocket(socket, onEvent) : undefined
  }

  private constructor(socket: WebSocket, onEvent: SocketOptions['onEvent']) {
    this.#socket = socket
    this.#onEvent = onEvent ?? ((event) => this.events.push(event))
    const { promise, resolve } = Promise.withResolvers<number>()
    this.closed = promise
    socket.addEventListener('close', (event) => {
      for (const settle of this.#waiting.values()) settle({ ok: false, failure: 'unavailable', details: {} })
      this.#waiting.clear()
      resolve(event.code)
    })
    socket.addEventListener('message', ({ data }) => data instanceof ArrayBuffer && this.#receive(new Uint8Array(data)))
  }

  /** Answered `unavailable` when the socket is closed, or closes before the server has answered. */
  async command<N extends CommandName>(name: N, body: BodyOf<N>): Promise<CommandAnswer<N>> {
    if (this.#socket.readyState !== WebSocket.OPEN) return { ok: false, failure: 'unavailable', details: {} }
    const ref = ++this.#ref
    const { promise, resolve } = Promise.withResolvers<
      { ok: true; result: CborValue } | { ok: false; failure: FailureName; details: object }
    >()
    this.#waiting.set(ref, resolve)
    this.#socket.send(encodeCommand({ ref, name, body }))
    const answer = await promise
    return answer.ok ? { ok: true, result: decodeResult(name, answer.result) } : answer
  }

  /** Bytes as they are. */
  sendRaw(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes)
  }

  /** Resolves when `done` says so, asked at every event. */
  async until(done: (events: readonly EventFrame[]) => boolean): Promise<void> {
    if (done(this.events)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = (): void => {
      if (!done(this.events)) return
      this.#listeners.delete(check)
      resolve()
    }
    this.#listeners.add(check)
    return promise
  }

  close(): Promise<number> {
    this.#socket.close()
    return this.closed
  }

  /** Ends the connection without a word. */
  drop(): Promise<number> {
    this.#isDropped = true
    this.#socket.terminate()
    return this.closed
  }

  /** Whether this device itself gave it up. */
  get isDropped(): boolean {
    return this.#isDropped
  }

  /** Reads nothing from now on, so that the server's words pile up. */
  stopReading(): void {
    this.#socket.pause()
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeFromServer(bytes)
    if (frame.type === 'accepted') this.#settle(frame.ref, { ok: true, result: frame.result })
    else if (frame.type === 'refused') this.#settle(frame.ref, { ok: false, failure: frame.failure, details: frame.details })
    else if (frame.type === 'event') {
      this.#onEvent(frame)
      for (const listener of this.#listeners) listener()
    }
  }

  #settle(ref: number, answer: { ok: true; result: CborValue } | { ok: false; failure: FailureName; details: object }): void {
    this.#waiting.get(ref)?.(answer)
    this.#waiting.delete(ref)
  }
}

/** An MLSMessage with a PrivateMessage whose header is right and whose content is `bytes`: all that the server looks at. */
export function opaqueMessage({
  conversation,
  epoch,
  bytes,
}: {
  conversation: string
  epoch: number
  bytes: Uint8Array
}): Uint8Array<ArrayBuffer> {
  const length = bytes.length < 64 ? [bytes.length] : [0x40 | (bytes.length >> 8), bytes.length & 0xff]
  return new Uint8Array([0, 1, 0, 2, ...groupAndEpoch(conversation, epoch), 1, 0, 16, ...new Uint8Array(16), ...length, ...bytes])
}

function groupAndEpoch(conversation: string, epoch: number): Uint8Array {
  const groupId = Buffer.from(conversation, 'base64url')
  const epochBytes = new Uint8Array(8)
  new DataView(epochBytes.buffer).setBigUint64(0, BigInt(epoch))
  return new Uint8Array([groupId.length, ...groupId, ...epochBytes])
}

async function ed25519Pair(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
}

/** PKCS #8 of Ed25519 (RFC 8410) ends with the 32 bytes of the seed. */
async function seedOf({ privateKey }: CryptoKeyPair): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey)).slice(-32)
}

async function rawKey({ publicKey }: CryptoKeyPair): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
}

async function firstDeviceList(made: {
  account: AccountId
  device: DeviceId
  accountKeys: CryptoKeyPair
  signatureKey: Uint8Array
}): Promise<{ readonly certificate: Uint8Array; readonly deviceList: Uint8Array<ArrayBuffer> }> {
  const { account, device, accountKeys, signatureKey } = made
  const sign = async (message: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign('Ed25519', accountKeys.privateKey, new Uint8Array(message)))
  const accountKey = await rawKey(accountKeys)
  const notAfter = Math.floor(Date.now() / 1000) + 365 * 86_400
  const certificate = await signDeviceCertificate({ account, accountKey, device, signatureKey, notAfter }, sign)
  const first = { version: 1, account, accountKey, previous: new Uint8Array(0), certificates: [certificate] }
  return { certificate, deviceList: await signDeviceList(first, sign) }
}

function recordFrom(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
