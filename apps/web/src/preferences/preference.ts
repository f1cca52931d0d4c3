/** A choice about this browser's looks, kept in localStorage and shared between tabs. Nothing secret goes in here. */
import { useSyncExternalStore } from 'react'

export interface Preference<T extends string> {
  readonly get: () => T
  readonly set: (value: T) => void
  readonly subscribe: (listener: () => void) => () => void
}

/** @param name key in localStorage · @param values what is allowed; the first one is the default. */
export function preference<T extends string>({
  name,
  values,
}: {
  readonly name: string
  readonly values: readonly [T, ...T[]]
}): Preference<T> {
  const listeners = new Set<() => void>()
  const parse = (text: string | null): T => values.find((value) => value === text) ?? values[0]
  let current = parse(read(name))

  const changed = (value: T) => {
    current = value
    for (const listener of listeners) listener()
  }
  addEventListener('storage', (event) => {
    if (event.key === name || event.key === null) changed(parse(read(name)))
  })

  return {
    get: () => current,
    set(value) {
      write(name, value)
      changed(value)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const usePreference = <T extends string>(kept: Preference<T>): T => useSyncExternalStore(kept.subscribe, kept.get)

// Private windows and strict settings make localStorage throw: then a choice lasts as long as the page.
function read(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // Kept in memory only.
  }
}
