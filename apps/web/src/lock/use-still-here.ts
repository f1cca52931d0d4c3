/** Tells the app lock that the person is here, at most every few seconds, and closes it by Ctrl+Shift+L. */
import { useEffect } from 'react'
import { useAppLock, useLockState } from '../messenger/messenger-context.tsx'
import { usePlatform } from '../platform/platform-context.tsx'

const AT_MOST_EVERY = 5_000
const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

export function useStillHere(): void {
  const lock = useAppLock()
  const open = useLockState().kind === 'open'
  const { now } = usePlatform()
  useEffect(() => {
    if (!open) return
    let last = 0
    const here = () => {
      if (now() - last < AT_MOST_EVERY) return
      last = now()
      void lock.stillHere().catch(() => undefined)
    }
    const pressed = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || !event.shiftKey || event.key.toLowerCase() !== 'l') return
      event.preventDefault()
      void lock.lock().catch(() => undefined)
    }
    for (const sign of signs) addEventListener(sign, here, { passive: true })
    addEventListener('keydown', pressed)
    return () => {
      for (const sign of signs) removeEventListener(sign, here)
      removeEventListener('keydown', pressed)
    }
  }, [lock, open, now])
}
