/** A real server under `strace` that takes messages, and what came of it: its steps, and what it answered. */
import { spawnSync } from 'node:child_process'
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { ConversationId } from '@tacit/contract'
import { startServerProcess } from '../server-process.ts'
import { opaqueMessage, signUpOnWire, type WireSocket } from '../wire-device.ts'
import { openOnWire } from '../wire-group.ts'
import { CALLS, readTrace, type Step } from './trace.ts'

/** An answer that a device was given. */
export interface Answer {
  readonly conversation: string
  readonly seq: number
  /** SHA-256 of the entry. */
  readonly hash: Buffer
}

export interface Recording {
  readonly steps: readonly Step[]
  /** In the order in which they came. */
  readonly answers: readonly Answer[]
}

export interface RecordingOptions {
  readonly messages: number
  /** The server does not wait for the disk (TACIT_ACCEPT_DATA_LOSS): the control. */
  readonly careless?: boolean
}

/** Sends on their way at once. */
const PIPELINE = 4
const CONVERSATIONS = 3

/** Finds strace, or installs Debian's. Throws a sentence when there is none. */
export function ensureStrace(): void {
  const works = (program: string, args: readonly string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
  if (works('strace', ['-V'])) return
  if (process.getuid?.() === 0 && works('apt-get', ['--version'])) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' })
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'strace'], { stdio: 'inherit' })
  }
  if (!works('strace', ['-V'])) throw new Error('Crash images need strace (Debian: apt-get install strace).')
}

export async function record({ messages, careless = false }: RecordingOptions): Promise<Recording> {
  ensureStrace()
  const folder = mkdtempSync(join(tmpdir(), 'tacit-images-'))
  const trace = join(folder, 'trace')
  // -D: the server is the process that is started, and strace watches from beside it.
  const runner = ['strace', '-D', '-f', '--seccomp-bpf', '-yy', '-xx', '-s', '16777216', '-e', `trace=${CALLS}`, '-o', trace]
  const environment = { TACIT_LOG_LEVEL: 'error', TACIT_ACCEPT_DATA_LOSS: String(careless) }
  const server = await startServerProcess({ environment, runner })
  try {
    const answers = await talk(server.url, messages)
    await server.kill()
    await untilWritten(trace)
    const steps: Step[] = []
    for await (const step of readTrace(createInterface({ input: createReadStream(trace) }))) steps.push(step)
    return { steps, answers }
  } finally {
    await server.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function talk(url: string, messages: number): Promise<Answer[]> {
  const alice = await signUpOnWire({ url, handle: 'alice' })
  const conversations: ConversationId[] = []
  for (let at = 0; at < CONVERSATIONS; at++) conversations.push((await openOnWire(alice)).conversation)
  const socket = await alice.socket()
  const answers: Answer[] = []
  await Promise.all(conversations.map((conversation) => talkIn({ socket, conversation, count: messages / CONVERSATIONS, answers })))
  return answers
}

async function talkIn({
  socket,
  conversation,
  count,
  answers,
}: {
  socket: WireSocket
  conversation: ConversationId
  count: number
  answers: Answer[]
}) {
  const waiting: Promise<void>[] = []
  for (let clientSeq = 1; clientSeq <= count; clientSeq++) {
    const bytes = opaqueMessage({
      conversation,
      epoch: 0,
      bytes: new TextEncoder().encode(`${clientSeq} ${'x'.repeat((clientSeq * 97) % 3000)}`),
    })
    const offer = async () => {
      let answer = await socket.command('delivery.send', { conversation, epoch: 0, clientSeq, bytes })
      // Too busy for the moment (L-26), which strace makes it; what came behind the gap is said again, too.
      for (let tries = 0; !answer.ok && ['unavailable', 'out_of_order'].includes(answer.failure) && tries < 100; tries++) {
        await pause(100)
        answer = await socket.command('delivery.send', { conversation, epoch: 0, clientSeq, bytes })
      }
      if (!answer.ok) throw new Error(`a message was refused: ${answer.failure}`)
      answers.push({ conversation, seq: answer.result.seq, hash: Buffer.from(answer.result.hash) })
    }
    waiting.push(offer())
    if (waiting.length >= PIPELINE) await waiting.shift()
  }
  await Promise.all(waiting)
}

/** strace ends after what it watched. */
async function untilWritten(trace: string): Promise<void> {
  for (let size = -1; ; await pause(200)) {
    const now = existsSync(trace) ? statSync(trace).size : 0
    if (now === size && now > 0) return
    size = now
  }
}
