/** Theme and language are the same on all own devices: what is chosen here is told to the messenger, what was chosen elsewhere is taken. */
import { useEffect } from 'react'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { languageChoice, languageChoices } from './language-choice.ts'
import type { Preference } from './preference.ts'
import { theme, themes } from './theme.ts'

export function useSharedPreferences(): void {
  useShared('theme', theme, themes)
  useShared('language', languageChoice, languageChoices)
}

function useShared<T extends string>(name: string, kept: Preference<T>, values: readonly T[]): void {
  const messenger = useMessenger()
  const preferences = useWatch('preferences')
  const known = preferences !== undefined
  const shared = values.find((value) => value === preferences?.[name])
  useEffect(() => {
    if (shared !== undefined && shared !== kept.get()) kept.set(shared)
  }, [kept, shared])
  useEffect(() => {
    if (!known) return undefined
    return kept.subscribe(() => {
      // What cannot be kept now is chosen in this browser alone.
      if (kept.get() !== shared) messenger.setPreference({ name, value: kept.get() }).catch(() => undefined)
    })
  }, [messenger, known, kept, name, shared])
}
