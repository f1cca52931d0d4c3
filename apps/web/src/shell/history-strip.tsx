/** While older history comes in: how far it is, above everything, and in nobody's way. Also when the server hides a part of it. */
import { useTranslation } from 'react-i18next'
import { History, TriangleAlert } from 'lucide-react'
import { Link } from 'wouter'
import { classes } from '../design/classes.ts'
import { ProgressBar } from '../design/progress-bar.tsx'
import { useWatch } from '../messenger/messenger-context.tsx'
import { paths } from '../routes.ts'
import strip from './connection-strip.module.css'
import { useLasting } from './use-lasting.ts'

/** What is over sooner needs no line, in milliseconds. */
const WORTH_A_LINE = 800
const ALARMS: ReadonlySet<string> = new Set(['missing', 'rolled_back', 'forked'])

export function HistoryStrip() {
  const { t } = useTranslation()
  const history = useWatch('history')
  const restoring = history?.restoring
  const lasting = useLasting({ value: restoring !== undefined, after: restoring ? WORTH_A_LINE : 0, first: false })
  if (history?.trouble !== undefined && ALARMS.has(history.trouble)) {
    return (
      <div role="alert" className={strip['place']}>
        <span className={classes(strip['strip'], strip['away'])}>
          <TriangleAlert size={16} aria-hidden="true" />
          <span>{t('history.alarm')}</span>
          <Link to={paths.history} className={strip['link']}>
            {t('history.look')}
          </Link>
        </span>
      </div>
    )
  }
  if (!lasting || !restoring) return null
  const { done, total } = restoring
  return (
    <div className={strip['place']}>
      <span className={classes(strip['strip'], strip['busy'])}>
        <History size={14} aria-hidden="true" />
        <span>{t('history.restoring', { done, count: total })}</span>
      </span>
      <ProgressBar edge label={t('history.title')} done={done} total={total} />
    </div>
  )
}
