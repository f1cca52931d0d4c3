/**
 * A profile is one device: a folder with its database, the server it belongs to, and a lock. The folder is private to its
 * owner and only one process at a time may use it, because two writers of one device would use message keys twice.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CliFailure } from '../failures.ts'
import { lock } from './lock.ts'
import { parseServer } from './server.ts'

export interface ProfileChoice {
  readonly profile: string
  /** Folder that holds the profiles; `$XDG_DATA_HOME/tacit` without it. */
  readonly home?: string | undefined
  readonly server?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Profile extends Disposable {
  readonly name: string
  /** Path of the device's SQLite database. */
  readonly database: string
  /** Origin of the server that this device belongs to, or will. */
  readonly server: string
  /** From now on the profile belongs to its server. */
  keep(): void
  /** Removes everything that the device left behind. */
  wipe(): void
}

const DEFAULT_SERVER = 'http://localhost:8420'
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const OTHERS = 0o077

/** Takes the profile for this process, making its folder when there is none. Throws `CliFailure` when it is taken or not private. */
export function openProfile({ profile: name, home, server: asked, env }: ProfileChoice): Profile {
  if (!NAME.test(name)) throw new CliFailure('usage', 'A profile name has up to 64 letters, digits, dots, dashes and underscores.')
  const directory = join(home ?? join(dataHome(env), 'tacit'), name)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  checkPrivate(directory)
  const held = lock(join(directory, 'lock'), name)
  try {
    const settings = join(directory, 'settings.json')
    const kept = readServer(settings)
    const server = asked === undefined ? (kept ?? DEFAULT_SERVER) : parseServer(asked)
    if (kept !== undefined && server !== kept) throw new CliFailure('other_server', `The profile ${name} belongs to ${kept}.`)
    return {
      name,
      database: join(directory, 'device.db'),
      server,
      keep: () => writeServer(settings, server),
      wipe: () => wipe(directory),
      [Symbol.dispose]: () => held[Symbol.dispose](),
    }
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

function dataHome(env: ProfileChoice['env']): string {
  return env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share')
}

/** Refuses a profile that somebody else owns, or that its group or everybody may read. */
function checkPrivate(directory: string): void {
  if (process.platform === 'win32') return
  for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) {
    // A journal of SQLite may be gone by now.
    const entry = statSync(path, { throwIfNoEntry: false })
    if (!entry) continue
    if (entry.uid !== process.getuid?.())
      throw new CliFailure('profile_not_private', `${path} belongs to another user.`, 'Use another --profile.')
    if (entry.mode & OTHERS) throw new CliFailure('profile_not_private', `Other users may read ${path}.`, `Run \`chmod go= ${path}\`.`)
  }
}

function readServer(settings: string): string | undefined {
  if (!existsSync(settings)) return undefined
  const damaged = new CliFailure('profile_damaged', `${settings} is damaged.`, 'It should read {"server":"https://…"}.')
  try {
    const value: unknown = JSON.parse(readFileSync(settings, 'utf8'))
    if (typeof value === 'object' && value !== null && 'server' in value && typeof value.server === 'string')
      return parseServer(value.server)
  } catch {
    throw damaged
  }
  throw damaged
}

function writeServer(settings: string, server: string): void {
  writeFileSync(`${settings}.new`, `${JSON.stringify({ server })}\n`, { mode: 0o600 })
  renameSync(`${settings}.new`, settings)
}

// The lock stays: another process may be waiting at it, and would hold one that nobody else sees.
function wipe(directory: string): void {
  for (const name of readdirSync(directory)) if (!/^lock(-journal)?$/.test(name)) rmSync(join(directory, name), { recursive: true })
}
