/** Taking the app lock away, with the secret it has. */
import type { FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useAppLock } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './lock.module.css'
import { PinField } from './pin-field.tsx'
import { useCurrentSecret } from './use-current-secret.ts'

interface TakeLockAwayProps {
  readonly by: 'pin' | 'passkey'
  readonly credential: string | undefined
  readonly onClose: () => void
}

export function TakeLockAway({ by, credential, onClose }: TakeLockAwayProps) {
  const { t } = useTranslation()
  const lock = useAppLock()
  const current = useCurrentSecret({ by, credential })
  const remove = useAction(async () => {
    await lock.removeLock({ current: await current.give() })
    onClose()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    remove.start()
  }
  return (
    <Modal open title={t('lock.remove')} onClose={onClose}>
      <form className={css['form']} onSubmit={submit}>
        {by === 'pin' ? (
          <PinField label={t('lock.currentPin')} value={current.pin} onChange={current.setPin} />
        ) : (
          <p>{t('lock.askPasskey')}</p>
        )}
        <FailureLine failure={remove.failure} />
        <Button kind="danger" type="submit" wide busy={remove.running}>
          {t('lock.remove')}
        </Button>
      </form>
    </Modal>
  )
}
