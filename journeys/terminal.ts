/** A person at a terminal: the client as a process of its own. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Secrets } from './person.ts'

const LAUNCHER = resolve(import.meta.dirname, '../apps/cli/src/tacit.mjs')

export class Terminal {
  readonly handle: string
  readonly #home: string
  readonly #url: string
  readonly #secrets: Secrets
  #listener: ChildProcess | undefined
  readonly #heard: string[] = []
  readonly #waiting = new Set<() => void>()

  constructor({ home, url, handle, secrets }: { home: string; url: string; handle: string; secrets: Secrets }) {
    this.#home = join(home, handle)
    this.#url = url
    this.#secrets = secrets
    this.handle = handle
  }

  async signUp(): Promise<void> {
    const password = this.#secrets.keep(`secret phrase of ${this.handle} at a terminal`)
    await this.run(['sign-up', this.handle, '--password-stdin'], `${password}\n`)
  }

  async send(conversation: string, text: string): Promise<void> {
    this.#secrets.keep(text)
    await this.run(['send', conversation, text])
  }

  /** Runs a command to its end and gives what it printed; rejects when it failed. */
  run(args: readonly string[], input = ''): Promise<string> {
    const { promise, resolve: done, reject } = Promise.withResolvers<string>()
    const child = execFile(process.execPath, [LAUNCHER, ...this.#common, ...args], (error, stdout, stderr) => {
      if (error) reject(new Error(`tacit ${args[0]} failed: ${stderr}`))
      else done(stdout)
    })
    child.stdin?.end(input)
    return promise
  }

  /** Begins to listen; `hears` then waits for texts. */
  listen(): void {
    const child = spawn(process.execPath, [LAUNCHER, ...this.#common, 'listen'], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#listener = child
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#heard.push(line)
      for (const check of this.#waiting) check()
    })
  }

  /** Resolves when a line of the listener contains the text. */
  hears(text: string): Promise<void> {
    const { promise, resolve: done } = Promise.withResolvers<void>()
    const check = (): void => {
      if (!this.#heard.some((line) => line.includes(text))) return
      this.#waiting.delete(check)
      done()
    }
    this.#waiting.add(check)
    check()
    return promise
  }

  async stopListening(): Promise<void> {
    const child = this.#listener
    if (!child || child.exitCode !== null) return
    const { promise, resolve: ended } = Promise.withResolvers<void>()
    child.once('exit', () => ended())
    child.kill('SIGTERM')
    await promise
  }

  get #common(): readonly string[] {
    return ['--server', this.#url, '--home', this.#home]
  }
}
