/** Which language the screens speak: the person's choice, else the browser's first that we have, else English. */
export const languages = ['en', 'de'] as const
export type Language = (typeof languages)[number]
export type LanguageChoice = 'system' | Language

/** @param preferred tags in the browser's order, such as `['de-AT', 'en']`. */
export function languageFor({ choice, preferred }: { readonly choice: LanguageChoice; readonly preferred: readonly string[] }): Language {
  if (choice !== 'system') return choice
  for (const tag of preferred) {
    const found = languages.find((language) => tag.toLowerCase().split('-')[0] === language)
    if (found !== undefined) return found
  }
  return 'en'
}

/** The tag to write dates and numbers with: the person's own regional variant of the language if there is one. */
export const localeFor = ({ language, preferred }: { readonly language: string; readonly preferred: readonly string[] }): string =>
  preferred.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language
