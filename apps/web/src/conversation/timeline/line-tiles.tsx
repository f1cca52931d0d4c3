/** Lines across the timeline: where a day begins, and where the unread part begins. */
import { useTranslation } from 'react-i18next'
import { useMoments, useToday } from '../../time/use-moments.ts'
import css from './line-tiles.module.css'

export function DayTile({ time }: { readonly time: number }) {
  const moments = useMoments()
  const today = useToday()
  return (
    <div className={css['day']}>
      <time dateTime={moments.dayKey(time)}>{moments.day(time, today)}</time>
    </div>
  )
}

export function UnreadTile() {
  const { t } = useTranslation()
  return (
    <div className={css['unread']}>
      <span>{t('conversation.unread')}</span>
    </div>
  )
}
