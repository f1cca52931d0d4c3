/** Loads the words of a language and follows the person's choice. English is always there, others come when needed. */
import { createInstance, type i18n } from 'i18next'
import { initReactI18next } from 'react-i18next'
import { languageFor, type Language } from '../preferences/language.ts'
import { languageChoice } from '../preferences/language-choice.ts'
import { en, type Words } from './en.ts'

const others: Record<Exclude<Language, 'en'>, () => Promise<Words>> = {
  de: async () => (await import('./de.ts')).de,
}

/** Ready when the words of the current language are there. */
export async function openWords(preferred: readonly string[]): Promise<i18n> {
  const words = createInstance({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
  })
  await words.use(initReactI18next).init()
  const apply = async () => {
    const wished = languageFor({ choice: languageChoice.get(), preferred })
    const language = (await isThere(words, wished)) ? wished : 'en'
    await words.changeLanguage(language)
    document.documentElement.lang = language
  }
  await apply()
  languageChoice.subscribe(() => void apply())
  return words
}

/** Fetches the words of a language unless they are there. False when they cannot be had: a page in English is better than none. */
async function isThere(words: i18n, language: Language): Promise<boolean> {
  if (language === 'en' || words.hasResourceBundle(language, 'translation')) return true
  try {
    words.addResourceBundle(language, 'translation', await others[language]())
    return true
  } catch {
    return false
  }
}
