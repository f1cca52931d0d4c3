/** The installations that hold this account's keys. */
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useMoments, useToday } from '../time/use-moments.ts'
import { Section } from './section.tsx'
import css from './settings.module.css'
import { useLoaded } from './use-loaded.ts'

export function DevicesSection() {
  const { t } = useTranslation()
  const moments = useMoments()
  const today = useToday()
  const messenger = useMessenger()
  const [devices] = useLoaded(useCallback(() => messenger.devices(), [messenger]))
  return (
    <Section title={t('settings.devices')} hint={t('settings.devicesHint')}>
      {devices.kind === 'loading' && <p className={css['entry']}>{t('settings.loading')}</p>}
      <FailureLine failure={devices.kind === 'failed' ? devices.failure : undefined} />
      {devices.kind === 'ready' && (
        <ul>
          {devices.value.map(({ device, name, current, notAfter }) => (
            <li key={device} className={css['entry']}>
              <div className={css['words']}>
                <span className={css['name']}>{name}</span>
                <span className={css['quiet']}>{t('settings.validUntil', { date: moments.day(notAfter, today) })}</span>
              </div>
              {current && <span className={css['tag']}>{t('settings.thisDevice')}</span>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
