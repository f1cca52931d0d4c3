/**
 * Remembers in the page, outside of all databases, that this browser holds a device. It answers at once and survives when
 * the browser throws databases away, which is how such a loss is noticed.
 */
export interface Memory {
  hasDevice(): boolean
  remember(device: boolean): void
  /** Told when another tab changed it. Returns the way to stop listening. */
  onChange(listener: (device: boolean) => void): () => void
}

/** In `localStorage`, under `<scope>.device`. Where storage is forbidden there is never a device. */
export function pageMemory(scope: string): Memory {
  const name = keyOfMemory(scope)
  const hasDevice = () => attempt(() => localStorage.getItem(name) !== null) ?? false
  return {
    hasDevice,
    remember(device) {
      attempt(() => (device ? localStorage.setItem(name, '1') : localStorage.removeItem(name)))
    },
    onChange(listener) {
      const changed = ({ key }: StorageEvent) => {
        // A null key: everything was cleared.
        if (key === name || key === null) listener(hasDevice())
      }
      addEventListener('storage', changed)
      return () => removeEventListener('storage', changed)
    },
  }
}

export const keyOfMemory = (scope: string): string => `${scope}.device`

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
