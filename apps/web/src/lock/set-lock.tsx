/** Choosing a PIN or a passkey for the app lock, and how soon it closes; in place of another one, that one is asked for. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { SHORTEST_PIN, type LockSecret } from '@tacit/sdk/browser'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useAppLock, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import css from './lock.module.css'
import { PinField } from './pin-field.tsx'
import { useCurrentSecret } from './use-current-secret.ts'

interface SetLockProps {
  readonly current?: { readonly by: LockSecret['kind']; readonly credential?: string; readonly afterMinutes: number }
  readonly onClose: () => void
}

const minutes = [1, 5, 15, 60, 480]

export function SetLock({ current, onClose }: SetLockProps) {
  const { t } = useTranslation()
  const lock = useAppLock()
  const { passkeys } = usePlatform()
  const session = useWatch('session')
  const before = useCurrentSecret(current ?? { by: 'pin' })
  const [kind, setKind] = useState<LockSecret['kind']>(current?.by ?? 'pin')
  const [pin, setPin] = useState('')
  const [again, setAgain] = useState('')
  const [afterMinutes, setAfterMinutes] = useState(current?.afterMinutes ?? 5)
  const differs = again !== '' && again !== pin

  const choose = async () => {
    if (kind === 'pin' || !passkeys) return { secret: { kind: 'pin', pin } as const }
    const name = session.kind === 'signed_in' ? session.me.handle : 'Tacit'
    const { credential, prf } = await passkeys.createForLock({ name: t('lock.passkeyName', { handle: name }) })
    return { secret: { kind: 'passkey', prf } as const, credential }
  }
  const set = useAction(async () => {
    const known = current && { current: await before.give() }
    await lock.setLock({ ...(await choose()), afterMinutes, ...known })
    onClose()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (kind === 'passkey' || pin === again) set.start()
  }
  return (
    <Modal open title={current ? t('lock.change') : t('lock.set')} onClose={onClose}>
      <form className={css['form']} onSubmit={submit}>
        {current?.by === 'pin' && <PinField label={t('lock.currentPin')} value={before.pin} onChange={before.setPin} />}
        {current?.by === 'passkey' && <p>{t('lock.askPasskey')}</p>}
        {passkeys && (
          <fieldset className={css['kinds']}>
            <legend className="sr-only">{t('lock.kind')}</legend>
            {(['pin', 'passkey'] as const).map((value) => (
              <label key={value} className={css['kind']}>
                <input type="radio" name="lock-kind" value={value} checked={kind === value} onChange={() => setKind(value)} />
                {t(`lock.kinds.${value}`)}
              </label>
            ))}
          </fieldset>
        )}
        {kind === 'pin' && (
          <>
            <PinField label={t('lock.newPin')} hint={t('lock.pinHint', { count: SHORTEST_PIN })} value={pin} onChange={setPin} />
            <PinField label={t('lock.again')} problem={differs ? t('lock.differs') : undefined} value={again} onChange={setAgain} />
          </>
        )}
        <label className={css['minutes']}>
          <span className={css['name']}>{t('lock.afterLabel')}</span>
          <select value={afterMinutes} onChange={(event) => setAfterMinutes(Number(event.target.value))}>
            {minutes.map((value) => (
              <option key={value} value={value}>
                {t('lock.minutes', { count: value })}
              </option>
            ))}
          </select>
        </label>
        <p className={css['quiet']}>{t('lock.cost')}</p>
        <FailureLine failure={set.failure} />
        <Button kind="main" type="submit" wide busy={set.running}>
          {t('lock.save')}
        </Button>
      </form>
    </Modal>
  )
}
