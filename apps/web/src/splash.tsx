/** The moment before the device's own data is open. */
import { useTranslation } from 'react-i18next'
import { Logo } from './design/logo.tsx'
import css from './splash.module.css'

export function Splash() {
  const { t } = useTranslation()
  return (
    <main className={css['splash']}>
      <Logo size={64} />
      <output className="sr-only">{t('splash.opening')}</output>
    </main>
  )
}
