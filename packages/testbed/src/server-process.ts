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
  /** Starts again on the same data and port, after `stop` or `kill`. */
  restart(): Promise<void>
  /** Ends it and erases its data. */
  dispose(): Promise<void>
}

const ROOT = resolve(import.meta.dirname, '../../..')
const READY = /https?:\/\/[^\s"]+:(\d+)/

/** Starts one; `environment` adds to or overrides the settings. Resolves when it says where it answers. */
export async function startServerProcess({
  environment = {},
}: { environment?: Readonly<Record<string, string>> } = {}): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-server-'))
  const running = new RunningServer({ folder, environment })
  await running.start('0')
  return running
}

class RunningServer implements ServerProcess {
  readonly dataDir: string
  readonly logFile: string
  readonly #folder: string
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #port = '0'

  constructor({ folder, environment }: { folder: string; environment: Readonly<Record<string, string>> }) {
    this.#folder = folder
    this.#environment = environment
    this.dataDir = join(folder, 'data')
    this.logFile = join(folder, 'server.log')
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  async start(port: string): Promise<void> {
    const child = spawn(process.execPath, ['--conditions=tacit-source', join(ROOT, 'packages/server/src/main.ts')], {
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

  restart(): Promise<void> {
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
