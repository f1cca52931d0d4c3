/** What is shown while the app lock is closed: nothing of anybody, one way in, and a way to begin anew for who forgot it. */
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { KeyRound, LockKeyhole } from 'lucide-react'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useAppLock } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { useDocumentTitle } from '../platform/use-document-title.ts'
import css from './lock.module.css'
import { PinField } from './pin-field.tsx'

interface LockScreenProps {
  readonly by: 'pin' | 'passkey'
  readonly credential?: string
}

export function LockScreen({ by, credential }: LockScreenProps) {
  const { t } = useTranslation()
  useDocumentTitle({ title: t('lock.closed') })
  return (
    <main className={css['screen']}>
      <LockKeyhole size={40} aria-hidden="true" className={css['sign']} />
      <h1 className={css['title']}>{t('lock.closed')}</h1>
      <p className={css['quiet']}>{t('lock.closedText')}</p>
      {by === 'pin' ? <ByPin /> : <ByPasskey credential={credential ?? ''} />}
      <Forgotten />
    </main>
  )
}

function ByPin() {
  const { t } = useTranslation()
  const lock = useAppLock()
  const [pin, setPin] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const unlock = useAction(async (tried: string) => {
    try {
      await lock.unlock({ secret: { kind: 'pin', pin: tried } })
    } finally {
      setPin('')
    }
  })
  useEffect(() => field.current?.focus(), [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    unlock.start(pin)
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <PinField ref={field} label={t('lock.pin')} value={pin} onChange={setPin} />
      <FailureLine failure={unlock.failure} />
      <Button kind="main" type="submit" wide busy={unlock.running} disabled={pin === '' && !unlock.running}>
        {t('lock.unlock')}
      </Button>
    </form>
  )
}

function ByPasskey({ credential }: { readonly credential: string }) {
  const { t } = useTranslation()
  const lock = useAppLock()
  const { passkeys } = usePlatform()
  const unlock = useAction(async () => {
    const prf = await passkeys?.useForLock({ credential })
    if (prf) await lock.unlock({ secret: { kind: 'passkey', prf } })
  })
  return (
    <div className={css['form']}>
      <Button kind="main" wide icon={<KeyRound size={18} aria-hidden="true" />} busy={unlock.running} onClick={unlock.start}>
        {t('lock.unlockPasskey')}
      </Button>
      <FailureLine failure={unlock.failure} />
    </div>
  )
}

function Forgotten() {
  const { t } = useTranslation()
  const lock = useAppLock()
  const [asking, setAsking] = useState(false)
  const forget = useAction(() => lock.forgetDevice())
  return (
    <>
      <Button kind="quiet" onClick={() => setAsking(true)}>
        {t('lock.forgotten')}
      </Button>
      <Confirm
        open={asking}
        title={t('lock.forgottenTitle')}
        text={
          <>
            <p>{t('lock.forgottenText')}</p>
            <FailureLine failure={forget.failure} />
          </>
        }
        action={t('lock.forgottenAction')}
        busy={forget.running}
        onConfirm={forget.start}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
