/** A list that is asked for once and again after a change, for verbs that answer with data. */
import { useCallback, useEffect, useState } from 'react'
import { failureOf, type Failure } from '../messenger/failure.ts'

export type Loaded<T> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly value: T }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** @param load must stay the same function between drawings. */
export function useLoaded<T>(load: () => Promise<T>): readonly [loaded: Loaded<T>, again: () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ kind: 'loading' })
  const [round, setRound] = useState(0)
  useEffect(() => {
    let stale = false
    load().then(
      (value) => !stale && setLoaded({ kind: 'ready', value }),
      (error: unknown) => !stale && setLoaded({ kind: 'failed', failure: failureOf(error) }),
    )
    return () => {
      stale = true
    }
  }, [load, round])
  return [loaded, useCallback(() => setRound((now) => now + 1), [])]
}
