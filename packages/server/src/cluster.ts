/**
 * What several servers on one PostgreSQL have together: a line to Redis, and over it the bus, the leases of presence and the
 * rate budgets. Redis may be gone at any time: then the servers find by reading what they would have heard, know only their own
 * people as online, and each counts its budgets alone. Nothing that matters is kept there.
 */
import { toBase64Url } from '@tacit/contract'
import { RedisBus } from './bus/redis.ts'
import { RedisLink } from './bus/redis-link.ts'
import { Rounds, type RoundsDeps } from './bus/rounds.ts'
import type { Clock } from './clock.ts'
import { faultFields, type Log } from './log.ts'
import { measure, type Metrics } from './metrics.ts'
import type { Leases } from './presence/leases.ts'
import { RedisLeases } from './presence/redis-leases.ts'
import type { Random } from './random.ts'
import type { Secrets } from './secrets.ts'
import type { Database } from './storage/database.ts'

export interface ClusterDeps {
  readonly url: string
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly metrics: Metrics
}

export interface Cluster {
  readonly bus: RedisBus
  readonly leases: Leases
  readonly link: RedisLink
  /** Whether doorbells get through, as far as this server can tell. */
  isWell(): boolean
  /** Begins to look for what doorbells did not say; resolves after the first look, before which no socket may open. */
  watch(rooms: Pick<RoundsDeps, 'rooms' | 'onBlind'>): Promise<void>
  /** Forgets what all have read. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export function openCluster({ url, database, clock, random, log, secrets, metrics }: ClusterDeps): Cluster {
  // Known only to those who have the secrets, and the same for all of them.
  const installation = toBase64Url(secrets.derive('installation', '').subarray(0, 12))
  const node = random.id()
  const onFault = (error: unknown): void => log('fault', { where: 'bus', ...faultFields(error) })
  let rounds: Rounds | undefined
  const link = new RedisLink({
    url,
    prefix: `tacit:${installation}:`,
    onChange: (up) => {
      log(up ? 'redis_up' : 'redis_lost')
      // What is there now may be a Redis that has forgotten everything: who was online, and who was listening.
      bus.beat(clock.now())
    },
  })
  const bus: RedisBus = new RedisBus({ link, node, clock, onFault, onDoubt: () => rounds?.hurry() })
  const { registry } = metrics
  measure(registry, { name: 'tacit_redis_up', help: 'Whether Redis is connected' }, () => Number(link.isUp))
  measure(registry, { name: 'tacit_bus_in_doubt', help: 'Whether doorbells may be missing, so that logs are polled' }, () =>
    Number(bus.isDoubtful(clock.now())),
  )
  return {
    bus,
    link,
    leases: new RedisLeases({ link, node, clock }),
    isWell: () => link.isUp && !bus.isUnheard(clock.now()),
    async watch(what) {
      rounds = new Rounds({ ...what, database, bus, clock, random, node, onFault })
      await rounds.start()
      bus.start()
    },
    sweep: async () => rounds?.sweep(),
    async close() {
      bus.stop()
      await rounds?.stop()
      link.close()
    },
  }
}
