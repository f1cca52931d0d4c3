import { expect, test } from 'vitest'
import type { Live } from '@tacit/sdk'
import { soon, until } from './until.ts'

/** A value that the test sets, and how many listen to it. */
function counter() {
  const listeners = new Set<() => void>()
  let value = 0
  const live: Live<number> = {
    get: () => value,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const set = (next: number) => {
    value = next
    for (const listener of listeners) listener()
  }
  return { live, set, listening: () => listeners.size }
}

const atLeast = (least: number) => (value: number) => (value >= least ? `reached ${value}` : undefined)
const never = new AbortController().signal

test('waits until the value is what was wanted, and then listens no longer', async () => {
  const { live, set, listening } = counter()
  const reached = until(live, atLeast(2), never)
  set(1)
  set(2)
  expect(await reached).toBe('reached 2')
  expect(listening()).toBe(0)
})

test('a value that is there already is not waited for', async () => {
  expect(await until(counter().live, atLeast(0), never)).toBe('reached 0')
})

test('a stop ends the waiting with its reason', async () => {
  const stop = new AbortController()
  const { live, listening } = counter()
  const waiting = until(live, atLeast(1), stop.signal)
  stop.abort('SIGINT')
  await expect(waiting).rejects.toBe('SIGINT')
  expect(listening()).toBe(0)
})

test('patience ends with nothing, a stop during it with its reason', async () => {
  expect(await soon(counter().live, atLeast(1), { stop: never, patience: 1 })).toBeUndefined()
  await expect(soon(counter().live, atLeast(1), { stop: AbortSignal.abort('SIGTERM'), patience: 1000 })).rejects.toBe('SIGTERM')
})
