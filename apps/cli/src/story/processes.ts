/** Real processes for stories: a server and terminals, each ended by its own id and with a state to wait for. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>

const root = resolve(import.meta.dirname, '../../../..')
const launcher = resolve(import.meta.dirname, '../tacit.mjs')

/** A folder that goes away with the story. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'tacit-cli-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A server on a free port, or on the port that an earlier one had. */
export class Server implements AsyncDisposable {
  readonly url: string
  readonly #process: Process

  private constructor(process: Process, url: string) {
    this.#process = process
    this.url = url
  }

  static async start({ data, port = '0' }: { data: string; port?: string }): Promise<Server> {
    const env = { TACIT_DATA_DIR: data, TACIT_PORT: port, TACIT_METRICS_PORT: '0', TACIT_LIMITS_FACTOR: '1000', TACIT_LOG_LEVEL: 'silent' }
    const server = start(['-C', 'tacit-source', join(root, 'packages/server/src/main.ts')], env)
    for await (const line of createInterface(server.stdout)) {
      const url = /Tacit is ready: (\S+)/.exec(line)?.[1]
      if (url) return new Server(server, url)
    }
    throw new Error(`The server did not start: ${await text(server.stderr)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process, 'SIGTERM')
  }
}

/** One person's terminal: a profile on a server. */
export class Terminal {
  readonly #options: readonly string[]

  constructor({ home, profile, server }: { home: string; profile: string; server: string }) {
    this.#options = ['--home', home, '--profile', profile, '--server', server]
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}): Promise<Ended> {
    const child = start([launcher, ...this.#options, ...args], env)
    child.stdin.end(input)
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { code: await exitCode(child), stdout, stderr }
  }

  /** Runs a command that has to succeed, and gives its one line of JSON. */
  async json(args: readonly string[], options: { input?: string } = {}): Promise<unknown> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], options)
    if (code !== 0) throw new Error(`tacit ${args.join(' ')} ended with ${code}: ${stderr}`)
    return JSON.parse(stdout)
  }

  /** Starts a command that talks with its person, in lines of JSON. */
  start(args: readonly string[], env: Record<string, string> = {}): Listener {
    return new Listener(start([launcher, ...this.#options, ...args], env))
  }

  /** Starts `listen` and waits until it listens. */
  async listen(...args: readonly string[]): Promise<Listener> {
    const child = start([launcher, ...this.#options, 'listen', ...args], {})
    for await (const line of createInterface(child.stderr)) if (line.includes('listening as')) break
    return new Listener(child)
  }
}

/** A running command that speaks in lines of JSON: `listen`, `link`. */
export class Listener implements AsyncDisposable {
  readonly #process: Process
  readonly #lines: AsyncIterator<string>

  constructor(process: Process) {
    this.#process = process
    this.#lines = createInterface(process.stdout)[Symbol.asyncIterator]()
  }

  /** The next line of JSON. */
  async next<T = unknown>(): Promise<T> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the command has ended')
    return JSON.parse(String(value)) as T
  }

  /** Types a line. */
  say(line: string): void {
    this.#process.stdin.write(`${line}\n`)
  }

  /** Ends it by a signal; gives the exit code. */
  stop(signal: 'SIGINT' | 'SIGTERM'): Promise<number | null> {
    return end(this.#process, signal)
  }

  /** Closes the reading end of its output, as `head` does. */
  closeOutput(): void {
    this.#process.stdout.destroy()
  }

  ended(): Promise<number | null> {
    return exitCode(this.#process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process, 'SIGTERM')
  }
}

function start(args: readonly string[], env: Record<string, string>): Process {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production', ...env } })
}

async function end(child: Process, signal: 'SIGINT' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode === null) child.kill(signal)
  return exitCode(child)
}

async function exitCode(child: Process): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}
