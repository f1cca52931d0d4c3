/** Joins the SDK's live values to React. */
import { useSyncExternalStore } from 'react'
import type { Live } from '@tacit/sdk'

export function useLive<T>(live: Live<T>): T {
  return useSyncExternalStore(
    (listener) => live.subscribe(listener),
    () => live.get(),
  )
}
