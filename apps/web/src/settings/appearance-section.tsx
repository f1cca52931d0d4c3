/** Light or dark, and the language. Both belong to this browser alone. */
import { useTranslation } from 'react-i18next'
import { languageChoice, languageChoices } from '../preferences/language-choice.ts'
import { usePreference, type Preference } from '../preferences/preference.ts'
import { theme, themes } from '../preferences/theme.ts'
import css from './appearance-section.module.css'
import { Section } from './section.tsx'

export function AppearanceSection() {
  const { t } = useTranslation()
  return (
    <Section title={t('settings.appearance')}>
      <Choice name="theme" legend={t('settings.theme')} values={themes} kept={theme} words={(value) => t(`settings.themes.${value}`)} />
      <Choice
        name="language"
        legend={t('settings.language')}
        values={languageChoices}
        kept={languageChoice}
        words={(value) => t(`settings.languages.${value}`)}
      />
    </Section>
  )
}

interface ChoiceProps<T extends string> {
  readonly name: string
  readonly legend: string
  readonly values: readonly T[]
  readonly kept: Preference<T>
  readonly words: (value: T) => string
}

function Choice<T extends string>({ name, legend, values, kept, words }: ChoiceProps<T>) {
  const chosen = usePreference(kept)
  return (
    <fieldset className={css['choice']}>
      <legend className={css['legend']}>{legend}</legend>
      <div className={css['options']}>
        {values.map((value) => (
          <label key={value} className={css['option']}>
            <input
              type="radio"
              name={name}
              value={value}
              checked={value === chosen}
              onChange={() => kept.set(value)}
              className={css['radio']}
            />
            {words(value)}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
