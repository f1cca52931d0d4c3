/** The language that the person chose in the settings, if any. */
import { languages, type LanguageChoice } from './language.ts'
import { preference } from './preference.ts'

export const languageChoices = ['system', ...languages] as const satisfies readonly LanguageChoice[]
export const languageChoice = preference<LanguageChoice>({ name: 'tacit.language', values: languageChoices })
