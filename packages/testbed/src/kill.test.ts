/**
 * `kill -9` of the server in the middle of 2,000 sends, again and again: whatever was accepted is in the log once, where
 * the answer said, and is delivered in order (invariants D-1 to D-4, D-6, D-7). Devices behave as the protocol asks:
 * what was not answered is sent again, the same bytes under the same counter.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConversationId, equalBytes, type Entry } from '@tacit/contract'
import { startServerProcess, type ServerProcess } from './server-process.ts'
import { opaqueMessage, signUpOnWire, type WireDevice, type WireSocket } from './wire-device.ts'
import { commitOnWire, openOnWire } from './wire-group.ts'

const ROUNDS = 20
const SENDS = 2000
/** Sends on their way at once, per sender. */
const PIPELINE = 64

/** What one device said in one conversation, and what it was told. */
interface Writer {
  readonly device: WireDevice
  readonly conversation: ConversationId
  /** By client_seq - 1. `seq` once accepted. */
  readonly sent: { readonly bytes: Uint8Array<ArrayBuffer>; seq?: number }[]
}

let server: ServerProcess
let alice: WireDevice
let bob: WireDevice
let writers: Writer[]

beforeAll(async () => {
  server = await startServerProcess({ environment: { TACIT_LOG_LEVEL: 'error' } })
  alice = await signUpOnWire({ url: server.url, handle: 'alice' })
  bob = await signUpOnWire({ url: server.url, handle: 'bobby' })
  // One after another: a device has one socket, and a newer one would close it.
  const conversations = [await openConversation(), await openConversation(), await openConversation()]
  writers = conversations.flatMap((conversation) => [
    // Alice's counter stands at 1: her commit that added Bob, which nobody reads here.
    { device: alice, conversation, sent: [{ bytes: new Uint8Array(), seq: 1 }] },
    { device: bob, conversation, sent: [] },
  ])
})

afterAll(() => server.dispose())

test(`${ROUNDS} kills while ${SENDS} messages are sent lose, repeat and reorder nothing`, { timeout: 300_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const stopAfter = 1 + Math.floor((SENDS * (round + 0.5)) / ROUNDS)
    queueMessages(SENDS / writers.length, round)
    await sendUntilKilled(stopAfter)
    await server.restart()
    await sendTheRest()
  }
  await checkLogs()
  const accepted = writers.reduce((sum, writer) => sum + writer.sent.length, 0)
  console.log(`kill -9: ${ROUNDS} kills, ${accepted} accepted, 0 violations`)
})

async function openConversation(): Promise<ConversationId> {
  const opened = await openOnWire(alice)
  const socket = await alice.socket()
  const added = await socket.command('conversations.commit', await commitOnWire(opened, [bob]))
  expect(added).toMatchObject({ ok: true })
  await socket.close()
  return opened.conversation
}

function queueMessages(count: number, round: number): void {
  for (const writer of writers) {
    for (let i = 0; i < count; i++) {
      const text = new TextEncoder().encode(`${writer.device.handle} ${round}.${i} ${'x'.repeat(300)}`)
      writer.sent.push({ bytes: opaqueMessage({ conversation: writer.conversation, epoch: 1, bytes: text }) })
    }
  }
}

/** Sends with a pipeline until so many were accepted, then ends the server without a goodbye. */
async function sendUntilKilled(stopAfter: number): Promise<void> {
  const [aliceSocket, bobSocket] = [await alice.socket(), await bob.socket()]
  let accepted = 0
  let killed: Promise<void> | undefined
  const onAccepted = (): void => {
    accepted += 1
    if (accepted >= stopAfter) killed ??= server.kill()
  }
  await Promise.all(writers.map((writer) => drive(writer, writer.device === alice ? aliceSocket : bobSocket, onAccepted)))
  expect(killed, 'the server outlived its kill').toBeDefined()
  await killed
}

async function sendTheRest(): Promise<void> {
  const [aliceSocket, bobSocket] = [await alice.socket(), await bob.socket()]
  await Promise.all(writers.map((writer) => drive(writer, writer.device === alice ? aliceSocket : bobSocket, () => undefined)))
  expect(writers.flatMap((writer) => writer.sent).filter((message) => message.seq === undefined)).toEqual([])
  await Promise.all([aliceSocket.close(), bobSocket.close()])
}

/** Offers everything that has no answer yet, in order; ends when all is accepted or the socket is gone. */
async function drive({ conversation, sent }: Writer, socket: WireSocket, onAccepted: () => void): Promise<void> {
  const waiting: Promise<boolean>[] = []
  for (const [at, message] of sent.entries()) {
    if (message.seq !== undefined) continue
    const offer = async (): Promise<boolean> => {
      const answer = await socket.command('delivery.send', { conversation, epoch: 1, clientSeq: at + 1, bytes: message.bytes })
      if (!answer.ok) {
        // Behind a gap that the crash made, the server asks for the earlier one first; both come again in the next run.
        expect(['unavailable', 'out_of_order']).toContain(answer.failure)
        return false
      }
      expect(equalBytes(answer.result.hash, sha256(message.bytes))).toBe(true)
      message.seq = answer.result.seq
      onAccepted()
      return true
    }
    waiting.push(offer())
    if (waiting.length >= PIPELINE && !(await waiting.shift())) break
  }
  await Promise.all(waiting)
}

/** Bob reads every log from his join; the answers that were given must be found in it. */
async function checkLogs(): Promise<void> {
  const socket = await bob.socket()
  const logs = new Map<string, Entry[]>(writers.map((writer) => [writer.conversation, []]))
  let heads = new Map<string, number>()
  await socket.command('delivery.resume', {
    cursors: [...logs.keys()].map((conversation) => ({ conversation: ConversationId.parse(conversation), seq: 1 })),
  })
  let seen = 0
  const takeNew = async (): Promise<void> => {
    for (const event of socket.events.slice(seen)) {
      if (event.name !== 'delivery.entries') continue
      logs.get(event.body.conversation)?.push(...event.body.entries)
      heads = heads.set(event.body.conversation, event.body.head)
      const last = event.body.entries.at(-1)
      if (last) void socket.command('delivery.acknowledge', { cursors: [{ conversation: event.body.conversation, seq: last.seq }] })
    }
    seen = socket.events.length
  }
  await socket.until(() => {
    void takeNew()
    return [...logs].every(([conversation, entries]) => entries.at(-1)?.seq === expectedHead(conversation))
  })
  for (const [conversation, entries] of logs) checkLog(conversation, entries)
  await socket.close()
}

const expectedHead = (conversation: string): number =>
  writers.filter((writer) => writer.conversation === conversation).reduce((sum, writer) => sum + writer.sent.length, 0)

function checkLog(conversation: string, entries: readonly Entry[]): void {
  expect(
    entries.map((entry) => entry.seq),
    'D-3, D-4: gapless, each once, in order',
  ).toEqual(entries.map((_, at) => at + 2))
  for (const writer of writers.filter((one) => one.conversation === conversation)) {
    const own = entries.filter((entry) => entry.sender === writer.device.device)
    const first = writer.device === alice ? 2 : 1
    expect(
      own.map((entry) => entry.clientSeq),
      'D-6: each counter once, ascending',
    ).toEqual(own.map((_, at) => at + first))
    for (const entry of own) {
      const message = writer.sent[entry.clientSeq - 1]
      expect(message?.seq, 'D-1: at the position that was answered').toBe(entry.seq)
      expect(equalBytes(message?.bytes ?? new Uint8Array(), entry.bytes), 'D-1: byte for byte').toBe(true)
    }
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
