/** One PostgreSQL for a test run, with a template that has the schema: each test gets a copy of it (database.test-support.ts). */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { startPostgres } from '@tacit/testbed/postgres-process'

declare module 'vitest' {
  interface ProvidedContext {
    postgres?: { readonly admin: string; readonly template: string }
  }
}

const TEMPLATE = 'tacit_template'

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres(['max_connections=300'])
  await makeTemplate(server.url)
  project.provide('postgres', { admin: server.url('postgres'), template: TEMPLATE })
  return () => server.stop()
}

/** By a process of its own, because this one does not resolve the packages as sources. */
async function makeTemplate(url: (database: string) => string): Promise<void> {
  const admin = new Client({ connectionString: url('postgres') })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${TEMPLATE}`)
  await admin.query('CREATE TABLE free_place (name text)')
  await admin.end()
  const program = join(import.meta.dirname, 'make-template.ts')
  const { status } = spawnSync(process.execPath, ['-C', 'tacit-source', program, url(TEMPLATE)], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the template database could not be made')
}
