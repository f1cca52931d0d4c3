import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ConnectionState, HistoryState, Live } from '@tacit/sdk'
import { Coming } from './coming.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A value that the test sets. */
function settable<T>(value: T): Live<T> & { set(next: T): void } {
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(next) {
      value = next
      listeners.forEach((listener) => listener())
    },
  }
}

function waiting(within: number) {
  const history = settable<HistoryState | undefined>(undefined)
  const connection = settable<Pick<ConnectionState, 'kind'>>({ kind: 'online' })
  const notices: string[] = []
  const voice = { notice: (sentence: string) => void notices.push(sentence) }
  const world = { now: () => Date.now(), stop: new AbortController().signal }
  return { coming: new Coming({ history, connection, voice, world }, within), history, connection, notices }
}

const archive: HistoryState = { on: true, messages: 30, used: 1000, quota: 10_000, waiting: 0 }
const reading = (done: number): HistoryState => ({ ...archive, restoring: { done, total: 30 } })

test('each step of the archive is news, the newest part is here after the first one, and the end is the end', async () => {
  const { coming, history, notices } = waiting(30_000)
  const first = coming.more()
  history.set(reading(0))
  expect(await first).toBe(true)
  expect(coming.hasNewest).toBe(false)
  const second = coming.more()
  history.set(reading(10))
  expect(await second).toBe(true)
  expect(coming.hasNewest).toBe(true)
  history.set(archive)
  expect(await coming.more()).toBe(true)
  expect(await coming.more()).toBe(false)
  coming.say()
  expect(notices).toEqual([])
})

test('what takes long is said while it is waited for, and when time is up, how far it is', async () => {
  const { coming, history, notices } = waiting(30_000)
  history.set(reading(0))
  await coming.more()
  const more = coming.more()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(notices).toEqual(['Waiting for your history, which comes from the archive.'])
  history.set(reading(20))
  expect(await more).toBe(true)
  const last = coming.more()
  await vi.advanceTimersByTimeAsync(28_000)
  expect(await last).toBe(false)
  coming.say()
  expect(notices.slice(1)).toEqual(['Older history is still coming in: 20 of 30 lines so far. It goes on with every command.'])
})

test('nobody waits for a server that is not there', async () => {
  const { coming, connection, notices } = waiting(30_000)
  const more = coming.more()
  connection.set({ kind: 'offline' })
  expect(await more).toBe(false)
  coming.say()
  expect(notices).toEqual([])
})

test('an archive that does not answer, or not with all of it, is said', async () => {
  const silent = waiting(5_000)
  const more = silent.coming.more()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await more).toBe(false)
  silent.coming.say()
  expect(silent.notices.at(-1)).toBe('The archive did not answer; this is what is on this device.')
  for (const trouble of ['missing', 'unreadable'] as const) {
    const cut = waiting(5_000)
    cut.history.set({ ...archive, trouble })
    expect(await cut.coming.more()).toBe(true)
    cut.coming.say()
    expect(cut.notices).toEqual(['A part of your archive is not here. See `tacit archive`.'])
  }
})
