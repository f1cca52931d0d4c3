/** Times for the current language, and a "now" that moves on when a new day begins. */
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePlatform } from '../platform/platform-context.tsx'
import { localeFor } from '../preferences/language.ts'
import { momentsFor, type Moments } from './moments.ts'

export function useMoments(): Moments {
  const { i18n } = useTranslation()
  const { language } = i18n
  return useMemo(() => momentsFor({ locale: localeFor({ language, preferred: navigator.languages }) }), [language])
}

/** A time of today. It changes at midnight, so that "Today" becomes "Yesterday" on a page that stays open. */
export function useToday(): number {
  const { now } = usePlatform()
  const [today, setToday] = useState(now)
  useEffect(() => {
    const midnight = new Date(today).setHours(24, 0, 1, 0)
    // Timers stop while a device sleeps, so it looks again as soon as somebody is there.
    const look = () => {
      if (now() >= midnight) setToday(now())
    }
    const timer = setTimeout(look, midnight - now())
    document.addEventListener('visibilitychange', look)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [today, now])
  return today
}
