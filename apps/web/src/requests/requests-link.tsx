/** Above the conversations: that somebody waits for an answer. A number without a colour; nothing hurries. */
import { useTranslation } from 'react-i18next'
import { ChevronRight, Inbox } from 'lucide-react'
import { Link, useRoute } from 'wouter'
import { paths } from '../routes.ts'
import { classes } from '../design/classes.ts'
import css from './requests.module.css'

export function RequestsLink({ count }: { readonly count: number }) {
  const { t } = useTranslation()
  const [open] = useRoute(paths.requests)
  if (count === 0) return undefined
  return (
    <Link to={paths.requests} className={classes(css['link'], open && css['open'])} aria-current={open ? 'page' : undefined}>
      <Inbox size={18} aria-hidden="true" />
      <span className={css['linkText']}>{t('requests.open', { count })}</span>
      <ChevronRight size={16} aria-hidden="true" className="mirrors" />
    </Link>
  )
}
