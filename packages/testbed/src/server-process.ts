/**
 * The real server as a process of its own, started the way an operator starts it, on a free port of the loopback with a
 * data directory that outlives it. For tests that end it rudely and look at what it left.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export interface ServerProcess {
  /** Where it answers, e.g. `http://localhost:41234`. The same after a restart. */
  readonly url: string
  readonly dataDir: string
  /** Everything it ever wrote to its outputs. */
  readonly logFile: string
  readonly pid: number
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
  /** Resolves when the process that runs now has ended, however. */
  readonly ended: Promise<void>
  /** Starts again on the same data and port, after it ended; `environment` adds to that of before, from now on. */
  restart(environment?: Readonly<Record<string, string>>): Promise<void>
  /** Ends it and erases its data. */
  dispose(): Promise<void>
}

const ROOT = resolve(import.meta.dirname, '../../..')
const READY = /https?:\/\/[^\s"]+:(\d+)/

export interface ServerProcessOptions {
  /** Adds to or overrides the settings. */
  readonly environment?: Readonly<Record<string, string>>
  /** Arguments of Node in front of the program. */
  readonly nodeArguments?: readonly string[]
  /** A program that runs Node, with its arguments. */
  readonly runner?: readonly string[]
}

/** Starts one. Resolves when it says where it answers. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const running = new RunningServer(mkdtempSync(join(tmpdir(), 'tacit-server-')), options)
  await running.start('0')
  return running
}

class RunningServer implements ServerProcess {
  readonly dataDir: string
  readonly logFile: string
  readonly #folder: string
  readonly #options: ServerProcessOptions
  #environment: Readonly<Record<string, string>>
  #ended: Promise<void> = Promise.resolve()
  #child: ChildProcess | undefined
  #port = '0'

  constructor(folder: string, options: ServerProcessOptions) {
    this.#folder = folder
    this.#options = options
    this.#environment = options.environment ?? {}
    this.dataDir = this.#environment['TACIT_DATA_DIR'] ?? join(folder, 'data')
    this.logFile = join(folder, 'server.log')
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  get ended(): Promise<void> {
    return this.#ended
  }

  async start(port: string): Promise<void> {
    const { nodeArguments = [], runner = [] } = this.#options
    const node = [...runner, process.execPath, '--conditions=tacit-source', ...nodeArguments, join(ROOT, 'packages/server/src/main.ts')]
    const [program = '', ...args] = node
    const child = spawn(program, args, {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TACIT_DATA_DIR: this.dataDir,
        TACIT_PORT: port,
        TACIT_METRICS_PORT: '0',
        TACIT_LIMITS_FACTOR: '1000',
        TACIT_LOG_LEVEL: 'debug',
        ...this.#environment,
      },
    })
    this.#child = child
    const outlived = (): void => void child.kill('SIGKILL')
    process.once('exit', outlived)
    this.#ended = new Promise((over) =>
      child.once('exit', () => {
        process.off('exit', outlived)
        over()
      }),
    )
    const log = createWriteStream(this.logFile, { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    this.#port = await announcedPort(child)
  }

  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  restart(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#environment = { ...this.#environment, ...environment }
    return this.start(this.#port)
  }

  async dispose(): Promise<void> {
    await this.#end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const { promise, resolve: ended } = Promise.withResolvers<number | null>()
    child.once('exit', (code) => ended(code))
    child.kill(signal)
    return promise
  }
}

async function announcedPort(child: ChildProcess): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>()
  let said = ''
  const listen = (chunk: Buffer): void => {
    said += chunk.toString()
    const port = READY.exec(said)?.[1]
    if (port) found(port)
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  child.once('exit', (code) => reject(new Error(`the server ended with code ${code} before it was ready: ${said}`)))
  try {
    return await promise
  } finally {
    child.stdout?.off('data', listen)
    child.stderr?.off('data', listen)
  }
}
