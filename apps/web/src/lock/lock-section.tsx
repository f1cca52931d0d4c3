/** The app lock in the settings: setting it up, how soon it closes, closing it now, taking it away. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { LockKeyhole } from 'lucide-react'
import type { LockState } from '@tacit/sdk/browser'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useAppLock, useLockState } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { Section } from '../settings/section.tsx'
import css from '../settings/settings.module.css'
import { SetLock } from './set-lock.tsx'
import { TakeLockAway } from './take-lock-away.tsx'

type Open = Extract<LockState, { kind: 'open' }>

export function LockSection() {
  const { t } = useTranslation()
  const state = useLockState()
  return (
    <Section title={t('lock.title')} hint={t('lock.hint')}>
      {state.kind === 'open' ? <Standing state={state} /> : <NotSet />}
    </Section>
  )
}

function NotSet() {
  const { t } = useTranslation()
  const [setting, setSetting] = useState(false)
  return (
    <div className={css['entry']}>
      <p className={css['words']}>{t('lock.off')}</p>
      <Button onClick={() => setSetting(true)}>{t('lock.set')}</Button>
      {setting && <SetLock onClose={() => setSetting(false)} />}
    </div>
  )
}

function Standing({ state }: { readonly state: Open }) {
  const { t } = useTranslation()
  const lock = useAppLock()
  const [doing, setDoing] = useState<'nothing' | 'changing' | 'removing'>('nothing')
  const close = useAction(() => lock.lock())
  const done = () => setDoing('nothing')
  return (
    <>
      <div className={css['entry']}>
        <div className={css['words']}>
          <p className={css['name']}>{t(`lock.on.${state.by}`)}</p>
          <p className={css['quiet']}>{t('lock.after', { count: state.afterMinutes })}</p>
        </div>
        <Button icon={<LockKeyhole size={18} aria-hidden="true" />} busy={close.running} onClick={close.start}>
          {t('lock.now')}
        </Button>
      </div>
      <FailureLine failure={close.failure} />
      <div className={css['entry']}>
        <Button kind="quiet" onClick={() => setDoing('changing')}>
          {t('lock.change')}
        </Button>
        <Button kind="quiet" onClick={() => setDoing('removing')}>
          {t('lock.remove')}
        </Button>
      </div>
      {doing === 'changing' && <SetLock current={state} onClose={done} />}
      {doing === 'removing' && <TakeLockAway by={state.by} credential={state.credential} onClose={done} />}
    </>
  )
}
