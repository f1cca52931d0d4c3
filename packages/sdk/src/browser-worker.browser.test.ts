import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { MessengerError } from './api.ts'
import { openBrowserMessenger } from './browser.ts'
import { keyOfMemory } from './worker/memory.ts'

let scope = ''
const workers: Worker[] = []
beforeEach(() => {
  scope = `device-${crypto.randomUUID()}`
})
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate()
  localStorage.removeItem(keyOfMemory(scope))
})

test('the whole device runs in a worker: its store opens, and without a server it says that it is offline', async () => {
  const messenger = open()
  await expect(messenger.signIn({ handle: 'alice', password: 'correct horse battery' })).rejects.toMatchObject({ failure: 'offline' })
  expect(messenger.watch('session').get()).toEqual({ kind: 'signed_out', why: 'fresh' })
  await expect(messenger.findPerson({ handle: 'bob' })).rejects.toMatchObject({ failure: 'not_signed_in' })
  await messenger.close()
})

test('a browser that lost its database says so, until somebody signs in', async () => {
  localStorage.setItem(keyOfMemory(scope), '1')
  const messenger = open()
  await vi.waitFor(() => expect(messenger.watch('session').get()).toEqual({ kind: 'signed_out', why: 'storage_lost' }), { timeout: 15_000 })
  expect(localStorage.getItem(keyOfMemory(scope))).toBeNull()
  await messenger.close()
})

function open() {
  const onTrouble = (error: MessengerError) => {
    throw error
  }
  return openBrowserMessenger({
    scope,
    onTrouble,
    createWorker() {
      const worker = new Worker(new URL('./browser-worker.story-worker.ts', import.meta.url), { type: 'module', name: scope })
      workers.push(worker)
      return worker
    },
  })
}
