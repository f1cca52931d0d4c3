/** How this page stands to its device: fine, outdated by another tab, or unable to open it. */
import type { Live } from '@tacit/sdk'
import type { Failure } from './failure.ts'

export type Condition =
  | { readonly kind: 'fine' }
  /** Another tab runs newer code and has taken the device over: this page can only be loaded again. */
  | { readonly kind: 'outdated' }
  /** The device cannot be opened here. */
  | { readonly kind: 'trouble'; readonly failure: Failure }

export interface ConditionLive extends Live<Condition> {
  readonly get: () => Condition
  readonly subscribe: (listener: () => void) => () => void
}

export function conditionValue(): ConditionLive & { readonly set: (condition: Condition) => void } {
  const listeners = new Set<() => void>()
  let current: Condition = { kind: 'fine' }
  return {
    get: () => current,
    set(condition) {
      current = condition
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
