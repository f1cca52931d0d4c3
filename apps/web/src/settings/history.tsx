/** The archive of one's history: what it is, what it costs, switching it, one's own copy, and erasing it. */
import { Switch } from '@base-ui/react/switch'
import { useTranslation } from 'react-i18next'
import { Info, TriangleAlert } from 'lucide-react'
import type { HistoryState } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { ProgressBar } from '../design/progress-bar.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { EraseHistory } from './erase-history.tsx'
import { HistoryCopy } from './history-copy.tsx'
import css from './history.module.css'
import { Section } from './section.tsx'
import switches from './presence-switch.module.css'

export function History() {
  const { t } = useTranslation()
  const history = useWatch('history')
  return (
    <Page title={t('history.title')}>
      <p className={css['explain']}>{t('history.explain')}</p>
      {history === undefined ? <p className={css['explain']}>{t('history.unknown')}</p> : <Archive history={history} />}
      <HistoryCopy />
      {history !== undefined && (history.messages > 0 || history.trouble === 'unreadable') && <EraseHistory />}
    </Page>
  )
}

function Archive({ history }: { readonly history: HistoryState }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const change = useAction((on: boolean) => messenger.setHistory({ on }))
  const { on, messages, waiting, trouble } = history
  return (
    <Section title={t('history.archive')}>
      <div className={switches['line']}>
        <div>
          <p id="history-label" className={switches['name']}>
            {t('history.keep')}
          </p>
          <p id="history-hint" className={switches['hint']}>
            {t(on ? 'history.isOn' : 'history.isOff')}
          </p>
        </div>
        <Switch.Root
          checked={on}
          onCheckedChange={(next) => change.start(next)}
          aria-labelledby="history-label"
          aria-describedby="history-hint"
          aria-busy={change.running}
          className={switches['switch']}
        >
          <Switch.Thumb className={switches['thumb']} />
        </Switch.Root>
      </div>
      <FailureLine failure={change.failure} />
      {trouble !== undefined && <Trouble trouble={trouble} />}
      <div className={css['facts']}>
        <p>{t('history.size', { count: messages, used: megabytes(history.used), quota: megabytes(history.quota) })}</p>
        {history.restoring && <Restoring {...history.restoring} />}
        {on && waiting > 0 && !history.restoring && <p>{t('history.waiting', { count: waiting })}</p>}
      </div>
      <p className={css['cost']}>
        <Info size={18} aria-hidden="true" />
        <span>{t('history.cost')}</span>
      </p>
    </Section>
  )
}

function Restoring({ done, total }: { readonly done: number; readonly total: number }) {
  const { t } = useTranslation()
  const words = t('history.restoring', { done, count: total })
  return (
    <div className={css['restoring']}>
      <p>{words}</p>
      <ProgressBar label={words} done={done} total={total} />
    </div>
  )
}

function Trouble({ trouble }: { readonly trouble: NonNullable<HistoryState['trouble']> }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const seen = useAction(() => messenger.historyAlarmSeen())
  const isAlarm = trouble === 'rolled_back' || trouble === 'forked'
  return (
    <div role="alert" className={css['trouble']}>
      <TriangleAlert size={18} aria-hidden="true" />
      <div>
        <p>{t(`history.trouble.${trouble}`)}</p>
        {isAlarm && (
          <Button busy={seen.running} onClick={() => seen.start()}>
            {t('history.seen')}
          </Button>
        )}
        <FailureLine failure={seen.failure} />
      </div>
    </div>
  )
}

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)
