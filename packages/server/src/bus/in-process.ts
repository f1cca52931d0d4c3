/** The bus of a single process: listeners are called at once, in the order in which they came. */
import type { Bus, Notice, NoticeKind, NoticeOf } from './bus.ts'

type Listener = (notice: Notice) => void

/** `onFault` hears of a listener that threw. */
export function createInProcessBus(onFault: (error: unknown) => void): Bus {
  const listeners = new Map<NoticeKind, Set<Listener>>()

  return {
    ring(notice) {
      for (const listener of listeners.get(notice.kind) ?? []) {
        try {
          listener(notice)
        } catch (error) {
          onFault(error)
        }
      }
    },

    listen<K extends NoticeKind>(kind: K, listener: (notice: NoticeOf<K>) => void) {
      const own: Listener = (notice) => {
        if (isOf(kind, notice)) listener(notice)
      }
      const ofKind = listeners.get(kind) ?? new Set<Listener>()
      listeners.set(kind, ofKind.add(own))
      return () => ofKind.delete(own)
    },
  }
}

const isOf = <K extends NoticeKind>(kind: K, notice: Notice): notice is NoticeOf<K> => notice.kind === kind
