/** A scene with two servers on one PostgreSQL, that ring for each other through a Redis. */
import { setTimeout as pause } from 'node:timers/promises'
import { startPostgres } from '../postgres-process.ts'
import { startRedis, type RedisProcess } from '../redis-process.ts'
import { startServerProcess, type ServerProcess, type ServerProcessOptions } from '../server-process.ts'
import { createDatabase } from './create-database.ts'
import { Link } from './link.ts'
import { playScene, type Scene, type SceneEnd } from './scene.ts'

export interface ClusterScene extends Scene {
  readonly nodes: readonly ServerProcess[]
  readonly redis: RedisProcess
  /** What the second server reaches its database and its Redis through. */
  readonly secondLinks: { readonly database: Link; readonly redis: Link }
  /** Everybody says one thing in each conversation now and then, for so many seconds. */
  chatFor(seconds: number): Promise<void>
}

/** Every device says so many things a second, in each of its conversations. */
const RATE = 5

/** As `playScene`; devices spread over both servers, and go to the next one whenever one is gone. */
export async function playCluster(process: ServerProcessOptions, play: (scene: ClusterScene) => Promise<void>): Promise<SceneEnd> {
  await using held = new AsyncDisposableStack()
  const postgres = await startPostgres(['max_connections=100'])
  held.defer(() => postgres.stop())
  await createDatabase(postgres)
  const redis = await startRedis()
  held.defer(() => redis.stop())
  const database = postgres.url('tacit')
  const environment = {
    TACIT_LOG_LEVEL: 'warn',
    TACIT_DATABASE: database,
    TACIT_REDIS: redis.url,
    TACIT_SECRETS_KEY: 'only for tests: 32 characters or more',
    ...process.environment,
  }
  const secondLinks = { database: await Link.to({ path: postgres.socket }), redis: await Link.to({ host: '127.0.0.1', port: redis.port }) }
  held.defer(() => Promise.all([secondLinks.database.close(), secondLinks.redis.close()]).then(() => undefined))
  const secondEnvironment = {
    ...environment,
    TACIT_DATABASE: `postgres://tacit@127.0.0.1:${secondLinks.database.port}/tacit`,
    TACIT_REDIS: `redis://127.0.0.1:${secondLinks.redis.port}`,
  }
  const others: ServerProcess[] = []
  let next = 0
  const opened = async (): Promise<void> => {
    const other = await startServerProcess({ ...process, environment: secondEnvironment })
    held.defer(() => other.dispose())
    others.push(other)
  }
  const address = (first: ServerProcess): string => [first, ...others][next++ % (others.length + 1)]?.url ?? first.url
  return await playScene({ ...process, environment, database, opened, address }, async (scene) => {
    const chatFor = async (seconds: number): Promise<void> => {
      const chat = setInterval(() => scene.crowd.write(1), 1000 / RATE)
      await pause(seconds * 1000)
      clearInterval(chat)
    }
    await play({ ...scene, redis, secondLinks, nodes: [scene.server, ...others], chatFor })
  })
}
