/** A small real world: a real server on a free port with a data folder of its own, and real devices with real stores. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openHouse, settingsWith, type House, type Settings } from '@tacit/server'
import { platformClock, type Clock } from '@tacit/sdk'
import { openWorldDevice, type WorldDevice } from './world-device.ts'

export interface World extends AsyncDisposable {
  /** Origin of the server. */
  readonly url: string
  /** Where the server keeps its data. */
  readonly dataFolder: string
  /** A device with an empty store, not signed in. */
  device(name: string): Promise<WorldDevice>
  /** A device whose person has just signed up. */
  signedUp(handle: string): Promise<WorldDevice>
  /** Another device of somebody who signed up, signed in with the password. */
  signedIn(handle: string): Promise<WorldDevice>
  /** A recovery code for somebody, by the operator's command. */
  recover(handle: string): Promise<string>
  /** Makes a backup of the server while it runs, by the operator's command. */
  backup(name: string): Promise<void>
  /** Stops the server, puts the backup in its place, and starts it again on the same port. */
  restore(name: string): Promise<void>
  /** Stops the server gracefully and starts it again on the same data and port. */
  restartServer(): Promise<void>
}

/** What everybody uses who has no better one. */
export const PASSWORD = 'correct horse battery staple'

export interface WorldOptions {
  /** Those of the server that differ from the testbed's own. */
  readonly settings?: Partial<Settings>
  /** What time it is for everybody; the platform's unless given. */
  readonly clock?: Clock
}

export async function openWorld({ settings = {}, clock = platformClock }: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tacit-world-'))
  const held = new AsyncDisposableStack()
  held.defer(() => rm(folder, { recursive: true, force: true }))
  let running = await startServer({ folder, clock, settings: { ...settings, port: 0 } })
  held.defer(() => running.house.close())
  const { port, url } = running
  let devices = 0
  const device = async (name: string) =>
    held.use(await openWorldDevice({ name, server: url, clock, path: join(folder, `${name}-${++devices}.db`) }))
  return {
    url,
    dataFolder: join(folder, 'server'),
    device,
    async signedUp(handle) {
      const opened = await device(handle.toLowerCase())
      await opened.signUp({ handle, password: PASSWORD })
      return opened
    },
    async signedIn(handle) {
      const opened = await device(handle.toLowerCase())
      await opened.signIn({ handle, password: PASSWORD })
      return opened
    },
    recover: async (handle) => /: ([0-9A-Z-]{24})$/m.exec(await admin(folder, 'recover', handle))?.[1] ?? '',
    backup: async (name) => void (await admin(folder, 'backup', join(folder, name))),
    async restore(name) {
      await running.house.close()
      await admin(folder, 'restore', join(folder, name), '--replace')
      running = await startServer({ folder, clock, settings: { ...settings, port } })
    },
    async restartServer() {
      await running.house.close()
      running = await startServer({ folder, clock, settings: { ...settings, port } })
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function admin(folder: string, ...args: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../server/src/admin/main.ts')
  const env = { PATH: process.env['PATH'], TACIT_DATA_DIR: join(folder, 'server') }
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'tacit-source', program, ...args], { env })
  return stdout
}

async function startServer(
  made: Required<WorldOptions> & { readonly folder: string },
): Promise<{ house: House; url: string; port: number }> {
  const { folder, settings, clock } = made
  const usual = { dataDir: join(folder, 'server'), metricsPort: 0, logLevel: 'silent', limitsFactor: 1000, drainSeconds: 0 } as const
  const house = await openHouse(settingsWith({ ...usual, ...settings }), { clock, elapsed: () => 0 })
  const { url, port } = await house.listen()
  return { house, url, port }
}
