/** One Redis for a test run. Each test has keys and channels of its own in it; who kills one starts one (redis-process.ts). */
import { findRedis, startRedis } from '@tacit/testbed/redis-process'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    redis?: { readonly url: string }
  }
}

/** Without a Redis its tests are skipped; where everything must be proved that is an error. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (!findRedis() && !process.env['CI']) return () => Promise.resolve()
  const server = await startRedis()
  project.provide('redis', { url: server.url })
  return () => server.stop()
}
