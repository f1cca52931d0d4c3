/** The end of a journey: what people typed is looked for in the server's memory, in a backup, and in everything it wrote. */
import { execFileSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { expect } from '@playwright/test'
import type { ServerProcess } from '@tacit/testbed/server-process'
import { leaksInFiles, leaksInMemory } from './leaks.ts'
import type { Person, Secrets } from './person.ts'

const ROOT = resolve(import.meta.dirname, '..')

/** Stops the server. `found`: something that is there, so that the search is known to search. */
export async function expectNothingKept(journey: {
  readonly server: ServerProcess
  readonly secrets: Secrets
  readonly people: readonly Person[]
  readonly found: string
}): Promise<void> {
  const { server, secrets, people, found } = journey
  const memory = leaksInMemory(server.pid, secrets.all)
  expect(memory.bytes).toBeGreaterThan(10_000_000)
  expect(memory.leaks).toEqual([])
  const folder = dirname(server.dataDir)
  const admin = ['--conditions=tacit-source', join(ROOT, 'packages/server/src/admin/main.ts')]
  const environment = { ...process.env, NODE_OPTIONS: '', TACIT_DATA_DIR: server.dataDir }
  execFileSync(process.execPath, [...admin, 'backup', join(folder, 'backup')], { env: environment, stdio: 'pipe' })
  await server.stop()
  const places = leaksInFiles(folder, [found])
  expect(places.filter((place) => place.includes('backup'))).not.toEqual([])
  expect(places.filter((place) => !place.includes('backup'))).not.toEqual([])
  expect(leaksInFiles(folder, secrets.all)).toEqual([])
  expect(people.flatMap(({ complaints }) => complaints)).toEqual([])
  console.log(`canaries: ${secrets.all.size} texts, 0 hits in data, logs, a backup and ${Math.round(memory.bytes / 1e6)} MB of memory`)
}
