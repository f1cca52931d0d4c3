/** Whole seconds until a time, drawn again as they pass. */
import { useEffect, useState } from 'react'
import { usePlatform } from '../platform/platform-context.tsx'

export function useSecondsLeft(until: number): number {
  const { now } = usePlatform()
  const left = () => Math.max(0, Math.ceil((until - now()) / 1000))
  const [seconds, setSeconds] = useState(left)
  useEffect(() => {
    const timer = setInterval(() => setSeconds(Math.max(0, Math.ceil((until - now()) / 1000))), 500)
    return () => clearInterval(timer)
  }, [until, now])
  return seconds
}
