/**
 * Joins the SDK to React. Components read snapshots through `useWatch` and call verbs on `useMessenger()`; there is no
 * second copy of any message, and no other way in.
 */
import { createContext, use, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import type { Messenger, TopicName, Topics } from '@tacit/sdk'
import type { AppLock, LockState, PageMessenger } from '@tacit/sdk/browser'

const MessengerContext = createContext<PageMessenger | undefined>(undefined)

export function MessengerProvider({ messenger, children }: { readonly messenger: PageMessenger; readonly children: ReactNode }) {
  return <MessengerContext value={messenger}>{children}</MessengerContext>
}

/** The device. @throws Error outside of a `MessengerProvider`. */
export const useMessenger = (): Messenger => usePageMessenger()

/** The lock before the device. @throws Error outside of a `MessengerProvider`. */
export const useAppLock = (): AppLock => usePageMessenger().lock

export function useLockState(): LockState {
  const { state } = useAppLock()
  return useSyncExternalStore(state.subscribe, state.get)
}

function usePageMessenger(): PageMessenger {
  const messenger = use(MessengerContext)
  if (messenger === undefined) throw new Error('The messenger is used outside of a MessengerProvider')
  return messenger
}

type Param<T extends TopicName> = Topics[T]['param'] extends undefined ? [] : [param: Topics[T]['param']]

/** The current snapshot of a topic; draws again when it changes. */
export function useWatch<T extends TopicName>(topic: T, ...param: Param<T>): Topics[T]['snapshot'] {
  const messenger = useMessenger()
  const about = param[0]
  const live = useMemo(() => {
    const watched = messenger.watch(topic, ...param)
    return { subscribe: (listener: () => void) => watched.subscribe(listener), get: () => watched.get() }
    // `param` is a new array at every call; what is in it is `about`.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [messenger, topic, about])
  return useSyncExternalStore(live.subscribe, live.get)
}
