import { cdp } from 'vitest/browser'
import type {} from '@vitest/browser-playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeCases } from './conformance.ts'
import type { StoryRequest } from './wa-sqlite.browser.story-worker.ts'

let place = ''
const workers = new Set<Worker>()
beforeEach(() => {
  place = `store-${crypto.randomUUID()}`
})
afterEach(async () => {
  for (const worker of workers) worker.terminate()
  workers.clear()
})

describe('the encrypted store of a browser', () => {
  test.for(storeCases)('$name', async ({ name }) => {
    expect(await tell('conformance', name)).toBe('done')
  })
})

describe('what lies in the browser', () => {
  const secret = 'meet me at the lighthouse at nine'

  test('holds no word of what was written, neither while open nor after a crash', async () => {
    const { worker } = await ask('writeAndStay', secret)
    worker.terminate()
    const files = await filesOf(place)
    expect(files.map(({ name }) => name).toSorted()).toEqual(['device', 'device-journal', 'device-wal'])
    expect(files.reduce((sum, { text }) => sum + text.length, 0)).toBeGreaterThan(20_000 * secret.length)
    for (const { text } of files)
      for (const word of [secret, 'lighthouse', 'SQLite format', 'create table']) expect(text).not.toContain(word)
    expect(await tell('notes')).toHaveLength(20)
  })

  test('the search for words would find them in a file that is not encrypted', async () => {
    const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(place, { create: true })
    const stream = await (await directory.getFileHandle('device', { create: true })).createWritable()
    await stream.write(`xx${secret}xx`)
    await stream.close()
    expect((await filesOf(place)).some(({ text }) => text.includes('lighthouse'))).toBe(true)
  })

  test('the key cannot be exported, and its sealed bytes are not the key', async () => {
    await tell('open')
    const record = await keyRecord(place)
    expect(record.wrapping.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', record.wrapping)).rejects.toThrow()
    expect(record.sealed.byteLength).toBe(48)
  })

  test('nothing is left after erasing', async () => {
    await tell('open')
    await tell('erase')
    await expect(filesOf(place)).rejects.toThrow()
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(place)
  })
})

describe('a tab that is killed while it writes', () => {
  test('loses nothing that it reported as written', async () => {
    const worker = start()
    const committed = await new Promise<number>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<{ committed: number }>) => data.committed === 60 && resolve(data.committed)
      worker.postMessage({ story: 'count', place } satisfies StoryRequest)
    })
    worker.terminate()
    const found = await tell('numbers')
    expect(found).toEqual({ count: expect.any(Number), last: expect.any(Number) })
    expect(Object(found).count).toBe(Object(found).last)
    expect(Object(found).count).toBeGreaterThanOrEqual(committed)
  })
})

describe('opening', () => {
  test('is fresh the first time and not the second', async () => {
    expect(await tell('open')).toEqual({ kind: 'opened', fresh: true })
    expect(await tell('open')).toEqual({ kind: 'opened', fresh: false })
  })

  test('reports a loss when the page remembers a device and nothing is there', async () => {
    expect(await tell('open', 'expected')).toEqual({ kind: 'lost', what: 'everything' })
    expect(await tell('open')).toEqual({ kind: 'opened', fresh: true })
    expect(await tell('open', 'expected')).toEqual({ kind: 'opened', fresh: false })
  })

  test('reports a loss when the browser threw the key away', async () => {
    await tell('open')
    await tell('loseKey')
    expect(await tell('open')).toEqual({ kind: 'lost', what: 'key' })
  })

  test('reports a loss when the browser threw the file away', async () => {
    await tell('open')
    await tell('loseFile')
    expect(await tell('open')).toEqual({ kind: 'lost', what: 'file' })
  })

  test('reports a loss when the file was changed by somebody (F-22)', async () => {
    await tell('open')
    await tell('flipBits')
    expect(await tell('open')).toEqual({ kind: 'lost', what: 'damaged' })
  })

  test('never gives back anything wrong, whichever byte of the file was changed (F-22)', async () => {
    const outcomes = await tell('damage')
    expect(Object.keys(Object(outcomes))).not.toContain('wrong')
    expect(Number(Object(outcomes).damaged)).toBeGreaterThan(30)
  })

  test('after a loss, erasing makes room for a new database', async () => {
    await tell('open')
    await tell('loseKey')
    await tell('erase')
    expect(await tell('open')).toEqual({ kind: 'opened', fresh: true })
  })
})

test('when the browser gives no more room, the transaction is refused as a whole and all before it stays (F-23)', async () => {
  const { usage = 0 } = await navigator.storage.estimate()
  await cdp().send('Storage.overrideQuotaForOrigin', { origin: location.origin, quotaSize: usage + 4_000_000 })
  try {
    expect(await tell('fillUp')).toEqual({ trouble: 'full', lost: 0, lostLater: 0, whole: true })
  } finally {
    await cdp().send('Storage.overrideQuotaForOrigin', { origin: location.origin })
  }
})

test('a commit is durable and takes few milliseconds', async () => {
  const ms = Number(await tell('commitMs'))
  console.log(`a commit takes ${ms.toFixed(1)} ms`)
  expect(ms).toBeLessThan(250)
})

function start(): Worker {
  const worker = new Worker(new URL('./wa-sqlite.browser.story-worker.ts', import.meta.url), { type: 'module' })
  workers.add(worker)
  return worker
}

/** Runs a story in a worker of its own, which stays alive. */
async function ask(story: string, text?: string): Promise<{ worker: Worker; value: unknown }> {
  const worker = start()
  const value = await new Promise<unknown>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message))
    worker.onmessage = ({ data }: MessageEvent<{ ok: boolean; value?: unknown; error?: string }>) =>
      data.ok ? resolve(data.value) : reject(new Error(data.error))
    worker.postMessage({ story, place, ...(text === undefined ? {} : { text }) } satisfies StoryRequest)
  })
  return { worker, value }
}

async function tell(story: string, text?: string): Promise<unknown> {
  const { worker, value } = await ask(story, text)
  worker.terminate()
  return value
}

async function filesOf(folder: string): Promise<{ name: string; text: string }[]> {
  const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder)
  const files: { name: string; text: string }[] = []
  for await (const handle of directory.values()) {
    if (handle.kind !== 'file' || !('getFile' in handle)) continue
    const file = await handle.getFile()
    files.push({ name: handle.name, text: new TextDecoder('latin1').decode(await file.arrayBuffer()) })
  }
  return files
}

async function keyRecord(name: string): Promise<{ wrapping: CryptoKey; sealed: ArrayBuffer }> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name)
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(new Error('no key database')))
  })
  const record = await new Promise<{ wrapping: CryptoKey; sealed: ArrayBuffer }>((resolve) => {
    const request = database.transaction('keys').objectStore('keys').get('database')
    request.addEventListener('success', () => resolve(request.result))
  })
  database.close()
  return record
}
