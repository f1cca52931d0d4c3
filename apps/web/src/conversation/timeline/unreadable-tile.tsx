/** In the place of an entry that could not be opened: that it exists, who sent it if known, and why it cannot be read. */
import { useTranslation } from 'react-i18next'
import { MessageCircleOff } from 'lucide-react'
import type { TimelineItem } from '@tacit/sdk'
import { useMoments } from '../../time/use-moments.ts'
import css from './unreadable-tile.module.css'

export function UnreadableTile({ item }: { readonly item: Extract<TimelineItem, { kind: 'unreadable' }> }) {
  const { t } = useTranslation()
  const moments = useMoments()
  const title = item.sender === undefined ? t('unreadable.title') : t('unreadable.titleFrom', { name: item.sender.handle })
  return (
    <div className={css['row']}>
      <div className={css['bubble']}>
        <MessageCircleOff size={18} aria-hidden="true" />
        <p>
          {title} <span className={css['why']}>{t(`unreadable.${item.reason}`)}</span>{' '}
          <time dateTime={new Date(item.time).toISOString()} className={css['time']}>
            {moments.clock(item.time)}
          </time>
        </p>
      </div>
    </div>
  )
}
