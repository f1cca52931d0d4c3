/** The run's Redis (tools/redis/for-tests.ts): each test speaks to it with a prefix of its own. */
import { inject } from 'vitest'
import { systemRandom } from '../random.ts'
import { RedisLink } from './redis-link.ts'

declare module 'vitest' {
  interface ProvidedContext {
    redis?: { readonly url: string }
  }
}

/** Undefined where the run has none; with CI set the run does not begin without. */
export const redisUrl = inject('redis')?.url

export const newPrefix = (): string => `test:${systemRandom.id()}:`

/** A line to it that is up. */
export async function openLink(prefix = newPrefix()): Promise<RedisLink> {
  const up = Promise.withResolvers<void>()
  const link = new RedisLink({ url: redisUrl ?? '', prefix, onChange: (isUp) => void (isUp && up.resolve()) })
  await up.promise
  return link
}
