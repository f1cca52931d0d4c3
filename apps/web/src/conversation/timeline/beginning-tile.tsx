/** The top of a timeline: what this conversation is and who can read it. */
import { useTranslation } from 'react-i18next'
import { LockKeyhole } from 'lucide-react'
import type { ConversationSummary } from '@tacit/sdk'
import { Avatar } from '../../design/avatar.tsx'
import css from './beginning-tile.module.css'

export function BeginningTile({ summary }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const group = summary.kind === 'group'
  return (
    <div className={css['beginning']}>
      <Avatar id={summary.peer?.account ?? summary.conversation} name={summary.title} shape={group ? 'group' : 'person'} size="large" />
      <p className={css['title']}>
        <bdi>{summary.title}</bdi>
      </p>
      <p className={css['sealed']}>
        <LockKeyhole size={15} aria-hidden="true" />
        {group ? t('conversation.sealedGroup') : t('conversation.sealedDirect', { name: summary.title })}
      </p>
    </div>
  )
}
