/**
 * Finds the Redis that cluster tests use, or installs Debian's: `node tools/redis/ensure-redis.ts`. $REDIS_SERVER names another
 * program; Valkey's does as well. Exits 1 with a sentence when there is none and none can be installed. Nothing is started.
 */
import { findRedis } from '@tacit/testbed/redis-process'
import { installFromDebian } from '../debian.ts'

/** The program, or undefined. */
export function ensureRedis(): string | undefined {
  return findRedis() ?? (installFromDebian('Redis', ['redis-server']) ? findRedis() : undefined)
}

if (import.meta.main) {
  const program = ensureRedis()
  console.log(
    program
      ? `Redis: ${program}`
      : 'No Redis was found. Install it (Debian: apt-get install redis-server) or set REDIS_SERVER to its path.',
  )
  process.exitCode = program ? 0 : 1
}
