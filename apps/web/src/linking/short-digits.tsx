/** The six digits that both devices show, in two groups, large. */
import { useTranslation } from 'react-i18next'
import css from './linking.module.css'

export function ShortDigits({ digits }: { readonly digits: string }) {
  const { t } = useTranslation()
  return (
    <output className={css['digits']} aria-label={t('linking.number', { digits: digits.split('').join(' ') })}>
      {digits.slice(0, 3)} {digits.slice(3)}
    </output>
  )
}
