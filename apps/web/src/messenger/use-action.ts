/** Runs a verb for a screen: one at a time, and a refusal becomes something to draw instead of an exception. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { failureOf, type Failure } from './failure.ts'

export type ActionState = { readonly kind: 'idle' } | { readonly kind: 'running' } | { readonly kind: 'failed'; readonly failure: Failure }

export interface Action<Args extends readonly unknown[]> {
  readonly state: ActionState
  readonly running: boolean
  readonly failure: Failure | undefined
  /** Starts it; does nothing while it runs. */
  readonly start: (...args: Args) => void
  /** Forgets a failure, for instance because the person types again. */
  readonly reset: () => void
}

export function useAction<Args extends readonly unknown[]>(run: (...args: Args) => Promise<void>): Action<Args> {
  const [state, setState] = useState<ActionState>({ kind: 'idle' })
  const latest = useRef(run)
  const busy = useRef(false)
  useEffect(() => {
    latest.current = run
  })

  const start = useCallback((...args: Args) => {
    if (busy.current) return
    busy.current = true
    setState({ kind: 'running' })
    latest
      .current(...args)
      .then(
        () => setState({ kind: 'idle' }),
        (error: unknown) => setState({ kind: 'failed', failure: failureOf(error) }),
      )
      .finally(() => {
        busy.current = false
      })
  }, [])
  const reset = useCallback(() => setState((now) => (now.kind === 'failed' ? { kind: 'idle' } : now)), [])

  return { state, running: state.kind === 'running', failure: state.kind === 'failed' ? state.failure : undefined, start, reset }
}
