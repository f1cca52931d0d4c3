/** Alice, Bob and Carol: people with real keys who speak to a real server over HTTP, for this package's tests. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { client as opaque, ready } from '@serenity-kit/opaque'
import {
  hashDeviceList,
  type AccountId,
  type DeviceId,
  signDeviceCertificate,
  signDeviceList,
  toBase64Url,
  type DeviceCertificate,
  type Problem,
  type SessionTokens,
} from '@tacit/contract'
import { createMlsEngine, type LeafIdentity, type SignaturePair } from '@tacit/mls'
import { openHouse, type House, type HouseEffects } from './house.ts'
import { IN_A_YEAR, newAccountId, newDeviceId, newKeys, newSignaturePair, type Keys } from './identity.test-support.ts'
import { systemRandom } from './random.ts'
import { settingsWith, type Settings } from './settings.ts'
import { newPlace } from './storage/database.test-support.ts'

/** Cheap on purpose: stretching protects people's passwords, not a test's. */
const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } }

/** The engine that all devices here speak. */
export const engine = await createMlsEngine({ treeInWelcome: false })

export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface RequestOptions {
  readonly method?: string
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Town {
  readonly url: string
  readonly house: House
  readonly metricsPort: number | undefined
  request<T = Problem>(path: string, options?: RequestOptions): Promise<Answer<T>>
  close(): Promise<void>
}

/** No built web app, whatever else was built on this machine. */
const NO_WEB_APP = join(import.meta.dirname, 'no-web-app')

/** A machine that is busy with other tests must not make a server shed what a test is about. */
const atEase: HouseEffects = { elapsed: () => 0 }

/** A server on a free port whose data disappears with it and whose rate limits do not matter, unless told otherwise. */
export async function openTown(settings: Partial<Settings> = {}, effects: HouseEffects = {}): Promise<Town> {
  const quiet = { dataDir: ':memory:', port: 0, metricsPort: 0, logLevel: 'silent', limitsFactor: 1000, webRoot: NO_WEB_APP } as const
  const place = settings.database === undefined ? await newPlace() : undefined
  const house = await openHouse(settingsWith({ ...quiet, ...(place && { database: place.url }), ...settings }), { ...atEase, ...effects })
  const { port, metricsPort } = await house.listen()
  const url = `http://127.0.0.1:${port}`
  const close = async () => {
    await house.close()
    await place?.drop()
  }
  return { url, house, metricsPort, request: (path, options) => request(url + path, options), close }
}

async function request<T>(url: string, { method, token, body, headers = {} }: RequestOptions = {}): Promise<Answer<T>> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T }
}

/** Somebody's identity: account key, devices, and the list that names them. */
export class Person {
  readonly account: AccountId
  readonly handle: string
  readonly password: string
  readonly keys: Keys
  readonly #certificates = new Map<DeviceId, Uint8Array>()
  readonly #pairs = new Map<DeviceId, SignaturePair>()
  version = 0
  list: Uint8Array = new Uint8Array()
  #before: Uint8Array = new Uint8Array()

  private constructor(handle: string, keys: Keys, account = newAccountId()) {
    this.account = account
    this.handle = handle
    this.password = `correct horse of ${handle}`
    this.keys = keys
  }

  static async called(handle: string): Promise<Person> {
    await ready
    return new Person(handle, await newKeys())
  }

  /** What a thief could sign: the same account, list and devices, but another account key. */
  async underAnotherKey(): Promise<Person> {
    const thief = new Person(this.handle, await newKeys(), this.account)
    for (const [device, pair] of this.#pairs) await thief.certify(device, { signatureKey: pair.publicKey })
    thief.list = this.list
    thief.version = this.version
    return thief
  }

  async certify(device: DeviceId, changes: Partial<DeviceCertificate> = {}): Promise<void> {
    const pair = await newSignaturePair()
    const own = { account: this.account, accountKey: this.keys.publicKey, device, signatureKey: pair.publicKey, notAfter: IN_A_YEAR }
    const certificate = { ...own, ...changes }
    this.#pairs.set(device, { ...pair, publicKey: certificate.signatureKey })
    this.#certificates.set(device, await signDeviceCertificate(certificate, this.keys.sign))
  }

  get devices(): readonly DeviceId[] {
    return [...this.#certificates.keys()]
  }

  /** What a device of theirs is in a group. */
  identityOf(device: DeviceId): LeafIdentity {
    const [credential, signature] = [this.#certificates.get(device), this.#pairs.get(device)]
    if (!credential || !signature) throw new TypeError('expected a device with a certificate')
    return { credential, signature }
  }

  /** Key packages of a device, as its SDK publishes them. */
  async keyUpload(device: DeviceId, { oneTime, lastResort = false }: { oneTime: number; lastResort?: boolean }) {
    const now = BigInt(Math.floor(Date.now() / 1000))
    const make = async (isLastResort: boolean): Promise<string> => {
      const lifetime = { notBefore: now - 3600n, notAfter: now + 86_400n }
      const { keyPackage } = await engine.createKeyPackage({ identity: this.identityOf(device), ...lifetime, lastResort: isLastResort })
      return toBase64Url(keyPackage)
    }
    const packages = await Promise.all(Array.from({ length: oneTime }, () => make(false)))
    return { oneTime: packages, ...(lastResort && { lastResort: await make(true) }) }
  }

  drop(device: DeviceId): void {
    this.#certificates.delete(device)
  }

  /** Signs the next version of the list. */
  async nextList(sign = this.keys.sign): Promise<string> {
    const previous = this.version === 0 ? new Uint8Array() : await hashDeviceList(this.list)
    this.#before = this.list
    this.version += 1
    const fields = { version: this.version, account: this.account, accountKey: this.keys.publicKey, previous }
    this.list = await signDeviceList({ ...fields, certificates: [...this.#certificates.values()] }, sign)
    return toBase64Url(this.list)
  }

  /** Goes back to the list before, which the server still has because it refused the last one. */
  forgetLastList(device: DeviceId): void {
    this.drop(device)
    this.list = this.#before
    this.version -= 1
  }

  /** The body of a sign-up by password with one device. */
  async signUpBody(town: Town, { device = newDeviceId() }: { device?: DeviceId } = {}) {
    const { clientRegistrationState, registrationRequest } = opaque.startRegistration({ password: this.password })
    const started = await town.request<{ registrationResponse: string }>('/v1/accounts/password/start', {
      body: { account: this.account, handle: this.handle, registrationRequest },
    })
    const { registrationResponse } = started.body
    if (started.status !== 200) throw new Error(JSON.stringify(started.body))
    const { registrationRecord } = opaque.finishRegistration({
      password: this.password,
      registrationResponse,
      clientRegistrationState,
      keyStretching,
    })
    await this.certify(device)
    return {
      account: this.account,
      handle: this.handle,
      accountKey: toBase64Url(this.keys.publicKey),
      method: { kind: 'password', registrationRecord },
      enrolment: { device, deviceList: await this.nextList(), keys: await this.keyUpload(device, { oneTime: 3, lastResort: true }) },
      vault: toBase64Url(systemRandom.bytes(100)),
      unlock: { id: systemRandom.id(), kind: 'password', wrappedKey: toBase64Url(systemRandom.bytes(60)) },
    }
  }

  async signUp(town: Town): Promise<SessionTokens> {
    const answer = await town.request<SessionTokens>('/v1/accounts', { body: await this.signUpBody(town) })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return answer.body
  }

  /** The answer to the last step of signing in with `password`. */
  async signIn(town: Town, password = this.password): Promise<Answer<SessionTokens & Problem>> {
    const { clientLoginState, startLoginRequest } = opaque.startLogin({ password })
    const started = await town.request<{ challenge: string; loginResponse: string }>('/v1/sessions/password/start', {
      body: { handle: this.handle, startLoginRequest },
    })
    const { challenge, loginResponse } = started.body
    if (started.status !== 200) throw new Error(JSON.stringify(started.body))
    const finished = opaque.finishLogin({ clientLoginState, loginResponse, password, keyStretching })
    // A device that notices the wrong password stops here; an attacker sends anything.
    const finishLoginRequest = finished?.finishLoginRequest ?? toBase64Url(systemRandom.bytes(64))
    return town.request('/v1/sessions/password/finish', { body: { challenge, finishLoginRequest } })
  }
}

/** Somebody who is signed up, with the tokens of their first device. */
export interface Member {
  readonly person: Person
  readonly tokens: SessionTokens
  readonly token: string
  readonly device: DeviceId
}

export async function member(town: Town, handle: string): Promise<Member> {
  const person = await Person.called(handle)
  const tokens = await person.signUp(town)
  if (tokens.device === null) throw new TypeError('expected a device')
  return { person, tokens, token: tokens.accessToken, device: tokens.device }
}

/** A second session of somebody, enrolled as a new device. */
export async function secondDevice(town: Town, person: Person): Promise<Member> {
  const { body: tokens } = await person.signIn(town)
  const device = newDeviceId()
  await person.certify(device)
  const enrolled = await town.request('/v1/devices', {
    token: tokens.accessToken,
    body: { device, deviceList: await person.nextList(), keys: await person.keyUpload(device, { oneTime: 2, lastResort: true }) },
  })
  if (enrolled.status !== 201) throw new Error(JSON.stringify(enrolled.body))
  return { person, tokens, token: tokens.accessToken, device }
}

/** A port below those that are given to whoever asks for any: until it is used, no other test gets it by chance. */
export async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) {
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Everything that a town's server counts, as Prometheus reads it. */
export async function metricsOf({ metricsPort }: Pick<Town, 'metricsPort'>): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort ?? 0}/metrics`)
  return answer.text()
}
