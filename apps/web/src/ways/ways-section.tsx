/** The ways to sign in, each of which opens everything: password, passkeys, recovery kit. */
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ChevronRight } from 'lucide-react'
import { Link } from 'wouter'
import type { UnlockMethod } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { usePlatform } from '../platform/platform-context.tsx'
import { paths } from '../routes.ts'
import { Section } from '../settings/section.tsx'
import css from '../settings/settings.module.css'
import { useLoaded } from '../settings/use-loaded.ts'
import { useMoments } from '../time/use-moments.ts'
import { ChangeWay, type WayChange } from './change-way.tsx'

export function WaysSection() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { passkeys } = usePlatform()
  const [ways, again] = useLoaded(useCallback(() => messenger.unlockMethods(), [messenger]))
  const [change, setChange] = useState<WayChange>()
  const known = ways.kind === 'ready' ? ways.value : []
  const hasPassword = known.some(({ kind }) => kind === 'password')
  const close = (changed: boolean) => {
    setChange(undefined)
    if (changed) again()
  }
  return (
    <Section title={t('ways.title')} hint={t('ways.hint')}>
      {ways.kind === 'loading' && <p className={css['entry']}>{t('settings.loading')}</p>}
      {ways.kind === 'failed' && <FailureLine failure={ways.failure} />}
      <ul>
        {known.map((way) => (
          <Way key={way.unlock} way={way} only={known.length === 1} onRemove={() => setChange({ kind: 'remove', way })} />
        ))}
      </ul>
      {ways.kind === 'ready' && (
        <>
          <div className={css['entry']}>
            <Button onClick={() => setChange({ kind: 'password' })}>
              {hasPassword ? t('ways.changePassword') : t('ways.addPassword')}
            </Button>
            {passkeys !== undefined && <Button onClick={() => setChange({ kind: 'passkey' })}>{t('ways.addPasskey')}</Button>}
          </div>
          <Link to={paths.kit} className={css['way']}>
            <span className={css['words']}>
              <span className={css['name']}>{t('kit.title')}</span>
              <span className={css['quiet']}>{t('kit.hint')}</span>
            </span>
            <ChevronRight size={20} aria-hidden="true" className="mirrors" />
          </Link>
        </>
      )}
      {change !== undefined && <ChangeWay change={change} onClose={close} />}
    </Section>
  )
}

function Way({ way, only, onRemove }: { readonly way: UnlockMethod; readonly only: boolean; readonly onRemove: () => void }) {
  const { t } = useTranslation()
  const moments = useMoments()
  const { now } = usePlatform()
  const name = t(`ways.kinds.${way.kind}`)
  return (
    <li className={css['entry']}>
      <span className={css['words']}>
        <span className={css['name']}>{name}</span>
        <span className={css['quiet']}>{t('ways.since', { date: moments.day(way.addedAt, now()) })}</span>
      </span>
      {!only && (
        <Button aria-label={t('ways.removeLabel', { name })} onClick={onRemove}>
          {t('ways.remove')}
        </Button>
      )}
    </li>
  )
}
