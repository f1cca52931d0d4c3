/** Light or dark, and the language. Both belong to this browser alone. */
import { useTranslation } from 'react-i18next'
import { languageChoice, languageChoices } from '../preferences/language-choice.ts'
import { usePreference } from '../preferences/preference.ts'
import { theme, themes } from '../preferences/theme.ts'
import { Choice } from './choice.tsx'
import { Section } from './section.tsx'

export function AppearanceSection() {
  const { t } = useTranslation()
  return (
    <Section title={t('settings.appearance')}>
      <Choice
        name="theme"
        legend={t('settings.theme')}
        values={themes}
        chosen={usePreference(theme)}
        onChoose={(value) => theme.set(value)}
        words={(value) => t(`settings.themes.${value}`)}
      />
      <Choice
        name="language"
        legend={t('settings.language')}
        values={languageChoices}
        chosen={usePreference(languageChoice)}
        onChoose={(value) => languageChoice.set(value)}
        words={(value) => t(`settings.languages.${value}`)}
      />
    </Section>
  )
}
