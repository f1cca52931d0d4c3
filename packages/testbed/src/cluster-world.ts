/** Several real servers on one PostgreSQL and one Redis, all of them processes, and real devices that reach them by a doorway each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformClock } from '@tacit/sdk'
import { Doorway } from './doorway.ts'
import { startPostgres } from './postgres-process.ts'
import { startRedis, type RedisProcess } from './redis-process.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'
import { PASSWORD } from './world.ts'
import { openWorldDevice, type WorldDevice } from './world-device.ts'

export interface ClusterDevice extends WorldDevice {
  readonly doorway: Doorway
}

export interface ClusterWorld extends AsyncDisposable {
  readonly redis: RedisProcess
  readonly servers: readonly ServerProcess[]
  /** A device whose person has just signed up, at a server. */
  signedUp(handle: string, at: number): Promise<ClusterDevice>
  /** Another device of somebody, signed in with the password, at a server. */
  signedIn(handle: string, at: number): Promise<ClusterDevice>
  /** Resolves when each of the servers says this of itself. */
  health(status: 'ok' | 'degraded'): Promise<void>
}

export async function openClusterWorld({ servers: count }: { readonly servers: number }): Promise<ClusterWorld> {
  const held = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tacit-cluster-'))
  held.defer(() => rm(folder, { recursive: true, force: true }))
  const [postgres, redis] = await Promise.all([startPostgres(['max_connections=200']), startRedis()])
  held.defer(() => Promise.all([postgres.stop(), redis.stop()]).then(() => undefined))
  const environment = {
    TACIT_DATA_DIR: ':memory:',
    TACIT_DATABASE: postgres.url('postgres'),
    TACIT_REDIS: redis.url,
    TACIT_SECRETS_KEY: 'one key for all the servers of this test',
    TACIT_LOG_LEVEL: 'info',
  }
  const servers = await Promise.all(Array.from({ length: count }, () => startServerProcess({ environment })))
  held.defer(() => Promise.all(servers.map((server) => server.dispose())).then(() => undefined))
  const ports = servers.map(({ url }) => Number(new URL(url).port))
  let devices = 0
  const device = async (handle: string, at: number): Promise<ClusterDevice> => {
    const doorway = await Doorway.to(ports, at)
    held.defer(() => doorway.close())
    const name = handle.toLowerCase()
    const path = join(folder, `${name}-${++devices}.db`)
    return Object.assign(held.use(await openWorldDevice({ name, server: doorway.url, clock: platformClock, path })), { doorway })
  }
  return {
    redis,
    servers,
    async signedUp(handle, at) {
      const opened = await device(handle, at)
      await opened.signUp({ handle, password: PASSWORD })
      return opened
    },
    async signedIn(handle, at) {
      const opened = await device(handle, at)
      await opened.signIn({ handle, password: PASSWORD })
      return opened
    },
    async health(status) {
      await Promise.all(servers.map(({ url }) => becomes(url, status)))
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function becomes(url: string, status: string): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    const answer: unknown = await fetch(`${url}/health/ready`).then(
      (response) => response.json(),
      () => undefined,
    )
    if (typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === status) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} did not become ${status}`)
}
