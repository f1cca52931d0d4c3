/**
 * Remembers in the page, outside of all databases, that this browser holds a device. It answers at once and survives when
 * the browser throws databases away, which is how such a loss is noticed.
 */
export interface Memory {
  hasDevice(): boolean
  remember(device: boolean): void
  /**
   * Id of the device that was here last, kept when the browser lost it or was cleared behind its lock: whoever signs in here takes
   * its place instead of being one more. In no cookie, because the server would be told it before anybody signs in.
   */
  slot(): string | undefined
  keepSlot(device: string | undefined): void
  /** Told when another tab changed it. Returns the way to stop listening. */
  onChange(listener: (device: boolean) => void): () => void
}

/** In `localStorage`, under `<scope>.device` and `<scope>.slot`. Where storage is forbidden there is never a device. */
export function pageMemory(scope: string): Memory {
  const name = keyOfMemory(scope)
  const hasDevice = () => attempt(() => localStorage.getItem(name) !== null) ?? false
  return {
    hasDevice,
    remember(device) {
      attempt(() => (device ? localStorage.setItem(name, '1') : localStorage.removeItem(name)))
    },
    slot: () => attempt(() => localStorage.getItem(`${scope}.slot`)) ?? undefined,
    keepSlot(device) {
      attempt(() => (device === undefined ? localStorage.removeItem(`${scope}.slot`) : localStorage.setItem(`${scope}.slot`, device)))
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
