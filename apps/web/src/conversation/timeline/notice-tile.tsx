/** A line that is no message. Most are quiet; what concerns somebody's safety stands out and stays. */
import { useTranslation } from 'react-i18next'
import type { TimelineItem } from '@tacit/sdk'
import { Alarm } from '../alarm.tsx'
import css from './notice-tile.module.css'
import { useNoticeText } from './use-notice-text.ts'

type NoticeItem = Extract<TimelineItem, { kind: 'notice' }>

export function NoticeTile({ item }: { readonly item: NoticeItem }) {
  const { t } = useTranslation()
  const text = useNoticeText(item.notice)
  const { notice } = item
  if (notice.kind !== 'identity_changed' && notice.kind !== 'tampering') {
    return <div className={css['quiet']}>{text}</div>
  }
  const advice =
    notice.kind === 'tampering' ? t(`notice.advice.${notice.what}`) : t('notice.advice.identity', { name: notice.person.handle })
  return <Alarm title={text} advice={advice} />
}
