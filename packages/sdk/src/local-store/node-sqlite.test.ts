import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeCases } from './conformance.ts'
import { openMemoryStore, openNodeStore } from './node-sqlite.ts'

let directory = ''
let path = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tacit-store-'))
  path = join(directory, 'alice', 'device.sqlite')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe('the store in a file', () => {
  test.for(storeCases)('$name', ({ run }) => run({ open: () => openNodeStore({ path }) }))
})

describe('the store in memory', () => {
  test.for(storeCases.filter(({ needsReopening }) => !needsReopening))('$name', ({ run }) => run({ open: async () => openMemoryStore() }))
})

describe('the file', () => {
  test('only its owner can read any of it', async () => {
    const store = await openNodeStore({ path })
    await store.transaction((writer) => writer.run('create table t (n)'))
    for (const name of await readdir(join(directory, 'alice'))) {
      expect((await stat(join(directory, 'alice', name))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(join(directory, 'alice'))).mode & 0o777).toBe(0o700)
    await store.close()
  })

  test('that others may read is refused', async () => {
    await (await withOneRow()).close()
    await chmod(path, 0o644)
    await expect(openNodeStore({ path })).rejects.toMatchObject({ failure: 'storage', trouble: 'exposed' })
  })

  test('is made durable at every commit', async () => {
    const store = await openNodeStore({ path })
    expect(await store.get('pragma synchronous')).toEqual({ synchronous: 2 })
    expect(await store.get('pragma journal_mode')).toEqual({ journal_mode: 'wal' })
    await store.close()
  })

  test('is gone after a wipe, with everything beside it', async () => {
    await (await withOneRow()).wipe()
    expect(await readdir(join(directory, 'alice'))).toEqual([])
  })

  test('that is no database is refused as damaged', async () => {
    await (await withOneRow()).close()
    await writeFile(path, 'this is a shopping list, not a database, and long enough to be read as a header of one. '.repeat(50))
    await expect(openNodeStore({ path })).rejects.toMatchObject({ trouble: 'damaged' })
  })

  test('that was cut off is refused as damaged (F-22)', async () => {
    const store = await withOneRow()
    for (let n = 0; n < 20; n++) await store.transaction((writer) => writer.run('insert into t values (randomblob(4000))'))
    await store.close()
    await truncate(path, Math.floor((await readFile(path)).length / 2))
    await expect(openNodeStore({ path })).rejects.toMatchObject({ trouble: 'damaged' })
  })
})

describe('another process', () => {
  test('is refused while this one is open, and let in afterwards', async () => {
    const store = await withOneRow()
    expect(await inAnotherProcess()).toBe('in_use')
    await store.close()
    expect(await inAnotherProcess()).toBe('opened')
  })

  test('that is killed at any moment loses nothing that it reported as written', async () => {
    const child = otherProcess(`
      await store.transaction((w) => w.run('create table if not exists t (n integer primary key, b)'))
      for (let n = 1; ; n++) { await store.transaction((w) => w.run('insert into t values (?, randomblob(3000))', [n])); console.log(n) }
    `)
    let reported = 0
    for await (const line of createInterface(child.stdout)) {
      reported = Number(line)
      if (reported === 200) child.kill('SIGKILL')
    }
    const store = await openNodeStore({ path })
    const found = await store.get('select count(*) as n, max(n) as last from t')
    expect(found?.['n']).toBe(found?.['last'])
    expect(Number(found?.['n'])).toBeGreaterThanOrEqual(reported)
    await store.close()
  })
})

async function withOneRow() {
  const store = await openNodeStore({ path })
  await store.transaction((writer) => writer.run('create table t (n); insert into t values (1)'))
  return store
}

async function inAnotherProcess(): Promise<string | undefined> {
  const child = otherProcess(`console.log('opened'); await store.close()`)
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) lines.push(line)
  if (child.exitCode === null) await once(child, 'exit')
  return lines[0]
}

/** A Node process with `store` open on the same file; prints the trouble instead when it is refused. */
function otherProcess(script: string) {
  const module = new URL('node-sqlite.ts', import.meta.url).href
  const source = `
    import { openNodeStore } from ${JSON.stringify(module)}
    const store = await openNodeStore({ path: ${JSON.stringify(path)} }).catch((error) => { console.log(error.trouble); process.exit() })
    ${script}`
  return spawn(process.execPath, ['-C', 'tacit-source', '--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}
