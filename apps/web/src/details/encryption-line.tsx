/** That nobody else can read along, in plain words first and in exact ones for those who ask. */
import { useTranslation } from 'react-i18next'
import { useState } from 'react'
import { LockKeyhole } from 'lucide-react'
import type { ConversationDetails } from '@tacit/sdk'
import { ConversationNumber } from '../trust/conversation-number.tsx'
import css from './encryption-line.module.css'

export function EncryptionLine({ details }: { readonly details: ConversationDetails }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const { conversation, encryption, standing } = details
  return (
    <details className={css['line']} onToggle={(event) => setOpen(event.currentTarget.open)}>
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
      {open && standing === 'active' && (
        <>
          <p className={css['explain']}>{t('details.numberExplain')}</p>
          <ConversationNumber key={encryption.epoch} conversation={conversation} />
        </>
      )}
    </details>
  )
}
