/** What is happening between the button and the first conversation. */
import { useTranslation } from 'react-i18next'
import type { SessionState } from '@tacit/sdk'
import css from './entering-progress.module.css'

type Step = Extract<SessionState, { kind: 'signing_in' }>['step']

export function EnteringProgress({ step }: { readonly step: Step }) {
  const { t } = useTranslation()
  return (
    <div className={css['progress']}>
      <h1 className={css['title']}>{t('door.entering.title')}</h1>
      <div className={css['track']} aria-hidden="true">
        <div className={css['mover']} />
      </div>
      <output>{t(`door.entering.${step}`)}</output>
    </div>
  )
}
