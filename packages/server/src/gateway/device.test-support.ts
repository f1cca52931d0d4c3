/** A device on a real socket, for tests: asks, is answered, and keeps every event in the order in which it came. */
import {
  CONTRACT_VERSION,
  ConversationId,
  decodeFromServer,
  decodeResult,
  encodeCommand,
  encodePolicy,
  fromBase64Url,
  SOCKET_PATH,
  SUBPROTOCOL,
  toBase64Url,
  type AccountId,
  type BodyOf,
  type CommandName,
  type Entry,
  type EventFrame,
  type EventName,
  type EventOf,
  type FailureDetails,
  type FailureName,
  type ResultOf,
} from '@tacit/contract'
import type { Group } from '@tacit/mls'
import { WebSocket, type ClientOptions } from 'ws'
import { engine, type Member, type Town } from '../cast.test-support.ts'
import { framedMessage } from '../delivery/framing.test-support.ts'
import { systemRandom } from '../random.ts'

export type Answered<N extends CommandName> =
  | { readonly kind: 'accepted'; readonly result: ResultOf<N> }
  | { readonly kind: 'refused'; readonly failure: FailureName; readonly details: FailureDetails }

interface Waiting {
  readonly name: CommandName
  settle(answer: Answered<CommandName>): void
}

export const newConversationId = (): ConversationId => ConversationId.parse(systemRandom.id())

/** Opens a socket with the right subprotocol; the options of `ws` may spoil it. */
export function openSocket(town: Pick<Town, 'url'>, options: ClientOptions & { protocols?: string[] } = {}): WebSocket {
  const { protocols = [SUBPROTOCOL], ...rest } = options
  return new WebSocket(town.url.replace('http', 'ws') + SOCKET_PATH, protocols, { perMessageDeflate: false, ...rest })
}

export class Device {
  readonly socket: WebSocket
  readonly events: EventFrame[] = []
  /** Resolves with the code with which the socket closed. */
  readonly closed: Promise<number>
  readonly #waiting = new Map<number, Waiting>()
  readonly #watchers = new Set<() => void>()
  #ref = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data) => this.#take(data instanceof Buffer ? data : Buffer.alloc(0)))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#notify())
  }

  /** Connected, not yet introduced. */
  static async open(town: Pick<Town, 'url'>, options: ClientOptions & { protocols?: string[] } = {}): Promise<Device> {
    const socket = openSocket(town, options)
    const device = new Device(socket)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return device
  }

  /** Introduced, and delivery started from the cursors given or the stored ones; caught up when it resolves. */
  static async online(town: Town, { token }: Pick<Member, 'token'>, cursors: BodyOf<'delivery.resume'>['cursors'] = []): Promise<Device> {
    const device = await Device.open(town)
    await device.hello(token)
    await device.expect('delivery.resume', { cursors })
    await device.until(() => device.has('delivery.caughtUp'))
    return device
  }

  hello(token: string, contract: number = CONTRACT_VERSION): Promise<ResultOf<'connection.hello'>> {
    return this.expect('connection.hello', { accessToken: token, contract })
  }

  ask<N extends CommandName>(name: N, body: BodyOf<N>): Promise<Answered<N>> {
    const ref = this.#ref++
    this.socket.send(encodeCommand({ ref, name, body }))
    return new Promise((resolve) => {
      this.#waiting.set(ref, { name, settle: (answer) => resolve(answer as Answered<N>) })
    })
  }

  /** Asks, and fails the test if refused. */
  async expect<N extends CommandName>(name: N, body: BodyOf<N>): Promise<ResultOf<N>> {
    const answer = await this.ask(name, body)
    if (answer.kind === 'refused') throw new Error(`${name} was refused: ${answer.failure} ${JSON.stringify(answer.details)}`)
    return answer.result
  }

  /** Asks, and gives the failure's name, or `accepted`. */
  async outcome<N extends CommandName>(name: N, body: BodyOf<N>): Promise<FailureName | 'accepted'> {
    const answer = await this.ask(name, body)
    return answer.kind === 'refused' ? answer.failure : 'accepted'
  }

  /** Resolves when the condition holds; it is looked at whenever something arrives. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        const held = condition()
        if (!held && this.socket.readyState !== WebSocket.CLOSED) return
        this.#watchers.delete(watcher)
        if (held) resolve()
        else reject(new Error('the socket closed first'))
      }
      this.#watchers.add(watcher)
    })
  }

  has(name: EventName): boolean {
    return this.events.some((event) => event.name === name)
  }

  bodies<N extends EventName>(name: N): EventOf<N>[] {
    return this.events.filter(isNamed(name)).map(({ body }) => body)
  }

  /** All entries of a conversation that arrived, in the order of arrival. */
  entries(conversation: ConversationId): Entry[] {
    return this.bodies('delivery.entries')
      .filter((body) => body.conversation === conversation)
      .flatMap(({ entries }) => entries)
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  #take(bytes: Uint8Array): void {
    const frame = decodeFromServer(new Uint8Array(bytes))
    if (frame.type === 'event') this.events.push(frame)
    if (frame.type === 'accepted' || frame.type === 'refused') this.#answer(frame)
    this.#notify()
  }

  #answer(frame: Extract<ReturnType<typeof decodeFromServer>, { ref: number }>): void {
    const waiting = this.#waiting.get(frame.ref)
    this.#waiting.delete(frame.ref)
    if (!waiting) return
    if (frame.type === 'refused') return waiting.settle({ kind: 'refused', failure: frame.failure, details: frame.details })
    waiting.settle({ kind: 'accepted', result: decodeResult(waiting.name, frame.result) })
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

/** Somebody with their device on a socket, and the counters that a device keeps for a conversation. */
export class Talker {
  readonly member: Member
  readonly device: Device
  readonly #counters = new Map<ConversationId, number>()

  readonly #town: Town

  private constructor(town: Town, { member, device }: { member: Member; device: Device }) {
    this.#town = town
    this.member = member
    this.device = device
  }

  static async online(town: Town, member: Member): Promise<Talker> {
    return new Talker(town, { member, device: await Device.online(town, member) })
  }

  next(conversation: ConversationId): number {
    const next = (this.#counters.get(conversation) ?? 0) + 1
    this.#counters.set(conversation, next)
    return next
  }

  send(conversation: ConversationId, epoch: number): Promise<ResultOf<'delivery.send'>> {
    return this.device.expect('delivery.send', messageBody({ conversation, epoch, clientSeq: this.next(conversation) }))
  }

  /** A commit that adds people, of a conversation that this person has just opened. */
  async sealCommit(conversation: ConversationId, { added }: { added: readonly Member[] }): Promise<BodyOf<'conversations.commit'>> {
    const group = founded.get(conversation)
    if (!group) throw new TypeError('expected a conversation that was opened here')
    const uploads = await Promise.all(added.map(({ person, device }) => person.keyUpload(device, { oneTime: 1 })))
    const add = uploads.flatMap(({ oneTime }) => oneTime.map(bytesOf))
    const made = await engine.commit(group, { add, authenticate: () => Promise.resolve(true) })
    const [commit, groupInfo, welcome] = [made.commit, made.groupInfo, made.welcomes[0]?.bytes].map(
      (bytes) => bytes && new Uint8Array(bytes),
    )
    if (!commit || !groupInfo) throw new TypeError('expected a commit')
    return { conversation, epoch: 0, clientSeq: this.next(conversation), commit, welcome: welcome ?? null, groupInfo }
  }

  async commit(conversation: ConversationId, change: { added: readonly Member[] }): Promise<ResultOf<'conversations.commit'>> {
    return this.device.expect('conversations.commit', await this.sealCommit(conversation, change))
  }

  /** An external commit, by what the server gives. */
  async join(conversation: ConversationId): Promise<ResultOf<'conversations.commit'>> {
    const { person, device, token } = this.member
    const path = `/v1/conversations/${conversation}`
    const info = (await this.#town.request<{ epoch: number; groupInfo: string }>(`${path}/group-info`, { token })).body
    const tree = (await this.#town.request<{ ratchetTree: string }>(`${path}/tree?epoch=${info.epoch}`, { token })).body
    const [groupInfo, ratchetTree] = [bytesOf(info.groupInfo), bytesOf(tree.ratchetTree)]
    const door = { groupInfo, ratchetTree, identity: person.identityOf(device) }
    const made = await engine.joinExternal({ ...door, authenticate: () => Promise.resolve(true) })
    return this.device.expect('conversations.commit', {
      conversation,
      epoch: info.epoch,
      clientSeq: this.next(conversation),
      commit: new Uint8Array(made.commit),
      welcome: null,
      groupInfo: new Uint8Array(made.groupInfo),
    })
  }
}

/** Groups that were founded here, at epoch 0. */
const founded = new Map<ConversationId, Group>()

export interface Position {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly clientSeq: number
}

export const messageBody = (at: Position, size?: number): BodyOf<'delivery.send'> => ({
  ...at,
  bytes: framedMessage({ ...at, ...(size !== undefined && { size }) }),
})

/** What opens a conversation over HTTP. */
export async function creationBody({ person, device }: Member, more: { kind?: 'direct'; peer?: AccountId } = {}) {
  const conversation = newConversationId()
  const { kind = 'group', peer } = more
  const policy = encodePolicy({ kind, admins: peer ? [person.account, peer] : [person.account] })
  const made = await engine.createGroup({ groupId: bytesOf(conversation), identity: person.identityOf(device), policy })
  founded.set(conversation, made.group)
  const [groupInfo, ratchetTree] = [toBase64Url(made.groupInfo), toBase64Url(made.ratchetTree)]
  return { conversation, kind, ...(peer && { peer }), groupInfo, ratchetTree }
}

/** Opens a conversation over HTTP. */
export async function createConversation(
  town: Town,
  creator: Member,
  more: { kind?: 'direct'; peer?: AccountId } = {},
): Promise<ConversationId> {
  const body = await creationBody(creator, more)
  const answer = await town.request('/v1/conversations', { token: creator.token, body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return body.conversation
}

/** A group of people with one device each, all online and caught up; the log has one commit, the epoch is 1. */
export async function groupOf(town: Town, creator: Member, others: readonly Member[]) {
  const conversation = await createConversation(town, creator)
  const [first, ...rest] = await Promise.all([creator, ...others].map((member) => Talker.online(town, member)))
  if (!first) throw new TypeError('expected a creator')
  await first.commit(conversation, { added: others })
  await Promise.all(rest.map(({ device }) => device.until(() => device.has('conversations.welcome'))))
  return { conversation, talkers: [first, ...rest] as const }
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (!bytes) throw new TypeError('expected base64url')
  return bytes
}

const isNamed =
  <N extends EventName>(name: N) =>
  (event: EventFrame): event is EventFrame & { readonly name: N; readonly body: EventOf<N> } =>
    event.name === name
