/** That nobody else can read along, in plain words first and in exact ones for those who ask. */
import { useTranslation } from 'react-i18next'
import { LockKeyhole } from 'lucide-react'
import type { ConversationDetails } from '@tacit/sdk'
import css from './encryption-line.module.css'

export function EncryptionLine({ encryption }: { readonly encryption: ConversationDetails['encryption'] }) {
  const { t } = useTranslation()
  return (
    <details className={css['line']}>
      <summary className={css['summary']}>
        <LockKeyhole size={17} aria-hidden="true" />
        {t('details.sealed')}
      </summary>
      <dl className={css['facts']}>
        <dt>{t('details.protocol')}</dt>
        <dd>Messaging Layer Security (RFC 9420)</dd>
        <dt>{t('details.suite')}</dt>
        <dd>{encryption.suite}</dd>
        <dt>{t('details.keyChanges')}</dt>
        <dd>{encryption.epoch}</dd>
      </dl>
    </details>
  )
}
