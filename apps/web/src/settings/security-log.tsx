/** What happened to the account, newest first, and the way to take it along. */
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Download } from 'lucide-react'
import type { DeviceInfo, SecurityEventInfo } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { useMoments } from '../time/use-moments.ts'
import css from './encryption.module.css'
import shared from './settings.module.css'
import { saveAs } from './save-as.ts'
import { useLoaded } from './use-loaded.ts'

/** As many as the server gives at once; fewer are the last. */
const PAGE = 50

export function SecurityLog() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [events, setEvents] = useState<readonly SecurityEventInfo[]>([])
  const [all, setAll] = useState(false)
  const [devices] = useLoaded(useCallback(() => messenger.devices(), [messenger]))
  const load = useAction(async () => {
    const last = events.at(-1)
    const more = await messenger.securityEvents(last ? { before: last.position } : {})
    setEvents((shown) => [...shown, ...more])
    setAll(more.length < PAGE)
  })
  const { start } = load
  useEffect(start, [start])
  return (
    <Page title={t('events.title')}>
      <p className={css['explain']}>{t('events.explain')}</p>
      <FailureLine failure={load.failure} />
      <ul className={shared['card']}>
        {events.map((event) => (
          <Line key={event.position} event={event} devices={devices.kind === 'ready' ? devices.value : []} />
        ))}
      </ul>
      <div className={shared['entry']}>
        {!all && (
          <Button busy={load.running} onClick={load.start}>
            {t('events.more')}
          </Button>
        )}
        <Export />
      </div>
    </Page>
  )
}

interface LineProps {
  readonly event: SecurityEventInfo
  readonly devices: readonly DeviceInfo[]
}

function Line({ event: { kind, method, device, times, time }, devices }: LineProps) {
  const { t } = useTranslation()
  const moments = useMoments()
  const { now } = usePlatform()
  const name = devices.find((one) => one.device === device)?.name
  return (
    <li className={shared['entry']}>
      <div className={shared['words']}>
        <span className={css['mark']} data-grave={kind === 'session_stolen' || kind === 'sign_in_failed' || undefined}>
          {t(`events.kinds.${kind}`)}
          {times > 1 && ` (${t('events.times', { count: times })})`}
        </span>
        <span className={shared['quiet']}>
          {[method && t(`events.methods.${method}`, { defaultValue: method }), name].filter(Boolean).join(' · ')}
        </span>
      </div>
      <time className={shared['quiet']} dateTime={new Date(time).toISOString()} title={moments.full(time)}>
        {moments.ago(time, now())}
      </time>
    </li>
  )
}

/** Everything that is kept, as a file that other programs read. */
function Export() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const take = useAction(async () => {
    const all: SecurityEventInfo[] = []
    for (;;) {
      const last = all.at(-1)
      const more = await messenger.securityEvents(last ? { before: last.position } : {})
      all.push(...more)
      if (more.length < PAGE) break
    }
    const rows = all.map(({ time, ...event }) => ({ ...event, time: new Date(time).toISOString() }))
    saveAs('tacit-security-log.json', JSON.stringify(rows, undefined, 2), 'application/json')
  })
  return (
    <>
      <Button icon={<Download size={18} aria-hidden="true" />} busy={take.running} onClick={take.start}>
        {t('events.export')}
      </Button>
      <FailureLine failure={take.failure} />
    </>
  )
}
