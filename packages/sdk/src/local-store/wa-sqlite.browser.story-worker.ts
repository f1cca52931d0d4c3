/**
 * The worker in which the browser tests use the store: it runs the stories of the conformance suite by name, and a few
 * more that need the file system. Answers `{ ok, value }` or `{ ok: false, error }`.
 */
import { storeCases } from './conformance.ts'
import { eraseKey } from './device-key.browser.ts'
import { eraseFolder } from './opfs-files.browser.ts'
import { eraseBrowserStore, openBrowserStore } from './wa-sqlite.browser.ts'
import type { StoreDriver } from './driver.ts'

export interface StoryRequest {
  readonly story: string
  readonly place: string
  readonly text?: string
}

const stories: Record<string, (request: StoryRequest) => Promise<unknown>> = {
  async conformance({ place, text }) {
    const story = storeCases.find(({ name }) => name === text)
    if (!story) throw new Error(`no case ${text}`)
    await story.run({ open: () => opened(place) })
    return 'done'
  },
  async open({ place, text }) {
    const result = await openBrowserStore({ name: place, expected: text === 'expected', patienceMs: 0 })
    if (result.kind === 'lost') return { kind: 'lost', what: result.what }
    await result.store.close()
    return { kind: 'opened', fresh: result.fresh }
  },
  /** Writes the text many times and leaves the store open, as a tab that is killed does. */
  async writeAndStay({ place, text = '' }) {
    const store = await opened(place)
    await store.transaction((writer) => writer.run('create table if not exists notes (n integer primary key, body)'))
    for (let n = 0; n < 20; n++) await store.transaction((writer) => writer.run('insert into notes (body) values (?)', [`${n} ${text}`]))
    // Rows that need sorting, an index and a large value: whatever could spill into another file.
    await store.transaction((writer) => writer.run('create index bodies on notes (body); create table big (b)'))
    await store.transaction((writer) => writer.run('insert into big values (?)', [text.repeat(20_000)]))
    await store.all('select a.body from notes a, notes b order by b.body desc, a.body')
    return 'written'
  },
  /** Writes numbers as fast as it can and tells each one when it is committed. */
  async count({ place }) {
    const store = await opened(place)
    await store.transaction((writer) => writer.run('create table if not exists numbers (n integer primary key, b)'))
    for (let n = 1; ; n++) {
      await store.transaction((writer) => writer.run('insert into numbers values (?, randomblob(3000))', [n]))
      postMessage({ committed: n })
    }
  },
  async numbers({ place }) {
    const store = await openedOnceFree(place)
    const row = await store.get('select count(*) as count, max(n) as last from numbers')
    await store.close()
    return row
  },
  async notes({ place }) {
    const store = await openedOnceFree(place)
    const rows = await store.all('select body from notes order by n')
    await store.close()
    return rows.map((row) => row['body'])
  },
  /** Mean milliseconds of a commit with two rows. */
  async commitMs({ place }) {
    const store = await opened(place)
    await store.transaction((writer) => writer.run('create table t (n integer primary key, b)'))
    const started = performance.now()
    for (let n = 0; n < 100; n++)
      await store.transaction(async (writer) => {
        await writer.run('insert into t (b) values (?)', [new Uint8Array(2000)])
        await writer.run('insert into t (b) values (?)', [new Uint8Array(200)])
      })
    const each = (performance.now() - started) / 100
    await store.wipe()
    return each
  },
  async loseKey({ place }) {
    await eraseKey(place)
  },
  async loseFile({ place }) {
    await eraseFolder(place)
  },
  async flipBits({ place }) {
    const root = await navigator.storage.getDirectory()
    const file = await (await root.getDirectoryHandle(place)).getFileHandle('device')
    const handle = await file.createSyncAccessHandle()
    const page = new Uint8Array(16)
    handle.read(page, { at: 2000 })
    handle.write(
      page.map((byte) => byte ^ 1),
      { at: 2000 },
    )
    handle.close()
  },
  async erase({ place }) {
    await eraseBrowserStore({ name: place })
  },
}

addEventListener('message', ({ data }: MessageEvent<StoryRequest>) => void answer(data))

async function answer(request: StoryRequest): Promise<void> {
  try {
    postMessage({ ok: true, value: await stories[request.story]?.(request) })
  } catch (error) {
    postMessage({ ok: false, error: String(error instanceof Error ? (error.stack ?? error) : error) })
  }
}

function opened(place: string): Promise<StoreDriver> {
  return openedWithin(place, 0)
}

function openedOnceFree(place: string): Promise<StoreDriver> {
  return openedWithin(place, 5000)
}

async function openedWithin(place: string, patienceMs: number): Promise<StoreDriver> {
  const result = await openBrowserStore({ name: place, patienceMs })
  if (result.kind === 'lost') throw new Error(`lost: ${result.what}`)
  return result.store
}
