/**
 * The worker in which the browser tests use the store: it runs the stories of the conformance suite by name, and a few
 * more that need the file system. Answers `{ ok, value }` or `{ ok: false, error }`.
 */
import { storeCases } from './conformance.ts'
import { eraseKey } from './device-key.browser.ts'
import { StoreError } from './failure.ts'
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
    if (result.kind !== 'opened') return result
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
    const handle = await (await mainFile(place)).createSyncAccessHandle()
    const page = new Uint8Array(16)
    handle.read(page, { at: 2000 })
    handle.write(
      page.map((byte) => byte ^ 1),
      { at: 2000 },
    )
    handle.close()
  },
  /** Changes one byte somewhere in the file, round after round, and tells what became of reading it all. */
  async damage({ place }) {
    const store = await opened(place)
    await store.transaction((writer) => writer.run('create table t (n integer primary key, b)'))
    for (let n = 0; n < 40; n++)
      await store.transaction((writer) => writer.run('insert into t (b) values (?)', [new Uint8Array(3000).fill(n)]))
    await store.close()
    const file = await mainFile(place)
    const whole = new Uint8Array(await (await file.getFile()).arrayBuffer())
    const outcomes: Record<string, number> = {}
    for (let round = 0; round < 40; round++) {
      const at = (round * 7919 + 17) % whole.length
      await overwrite(file, whole.with(at, (whole[at] ?? 0) ^ (1 << (round % 8))))
      const outcome = await readAll(place)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    return outcomes
  },
  /** Writes until it is refused; then counts what is there, by asking the store and by opening it again. */
  async fillUp({ place }) {
    const store = await opened(place)
    await store.transaction((writer) => writer.run('create table t (n integer primary key, b)'))
    let written = 0
    let trouble: unknown
    while (trouble === undefined && written < 2000) {
      try {
        await store.transaction((writer) => writer.run('insert into t (b) values (randomblob(100000))'))
        written++
      } catch (error) {
        trouble = error instanceof StoreError ? error.trouble : String(error)
      }
    }
    const count = (await store.get('select count(*) as n from t'))?.['n']
    await store.close()
    const again = await opened(place)
    const later = (await again.get('select count(*) as n, sum(length(b)) as bytes from t')) ?? {}
    await again.close()
    return { trouble, lost: written - Number(count), lostLater: written - Number(later['n']), whole: later['bytes'] === written * 100_000 }
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

async function readAll(place: string): Promise<'lost' | 'damaged' | 'whole' | 'wrong'> {
  const result = await openBrowserStore({ name: place, patienceMs: 0 })
  if (result.kind !== 'opened') return 'lost'
  try {
    const rows = await result.store.all('select n, b from t order by n')
    const right =
      rows.length === 40 &&
      rows.every(({ n, b }) => b instanceof Uint8Array && b.length === 3000 && b.every((byte) => byte === Number(n) - 1))
    return right ? 'whole' : 'wrong'
  } catch (error) {
    return error instanceof StoreError && error.trouble === 'damaged' ? 'damaged' : 'wrong'
  } finally {
    await result.store.close()
  }
}

async function mainFile(place: string): Promise<FileSystemFileHandle> {
  const root = await navigator.storage.getDirectory()
  return (await root.getDirectoryHandle(place)).getFileHandle('device')
}

async function overwrite(file: FileSystemFileHandle, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const handle = await file.createSyncAccessHandle()
  handle.truncate(bytes.length)
  handle.write(bytes, { at: 0 })
  handle.close()
}

function opened(place: string): Promise<StoreDriver> {
  return openedWithin(place, 0)
}

function openedOnceFree(place: string): Promise<StoreDriver> {
  return openedWithin(place, 5000)
}

async function openedWithin(place: string, patienceMs: number): Promise<StoreDriver> {
  const result = await openBrowserStore({ name: place, patienceMs })
  if (result.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(result)}`)
  return result.store
}
