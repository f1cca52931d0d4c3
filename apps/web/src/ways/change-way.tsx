/** Adding, changing or removing a way to sign in, after its owner has proved that it is them. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { KeyRound } from 'lucide-react'
import type { UnlockMethod } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { NewPasswordField } from '../door/password-field.tsx'
import { passwordStrength } from '../door/password-strength.ts'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import css from '../settings/settings.module.css'
import { ProvedFirst } from './proved-first.tsx'

export type WayChange = { readonly kind: 'password' | 'passkey' } | { readonly kind: 'remove'; readonly way: UnlockMethod }

interface ChangeWayProps {
  readonly change: WayChange
  readonly onClose: (changed: boolean) => void
}

export function ChangeWay({ change, onClose }: ChangeWayProps) {
  const { t } = useTranslation()
  const done = () => onClose(true)
  return (
    <Modal open title={t(`ways.changes.${change.kind}`)} onClose={() => onClose(false)}>
      <ProvedFirst>
        {change.kind === 'password' && <NewPassword onDone={done} />}
        {change.kind === 'passkey' && <NewPasskey onDone={done} />}
        {change.kind === 'remove' && <Removal way={change.way} onDone={done} />}
      </ProvedFirst>
    </Modal>
  )
}

function NewPassword({ onDone }: { readonly onDone: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [password, setPassword] = useState('')
  const save = useAction(async () => {
    await messenger.setPassword({ password })
    onDone()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.start()
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <NewPasswordField value={password} onChange={setPassword} />
      <FailureLine failure={save.failure} />
      <Button kind="main" type="submit" wide busy={save.running} disabled={passwordStrength(password) === 'short'}>
        {t('ways.savePassword')}
      </Button>
    </form>
  )
}

function NewPasskey({ onDone }: { readonly onDone: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { passkeys } = usePlatform()
  const add = useAction(async () => {
    if (passkeys === undefined) return
    const { ceremony, options } = await messenger.beginAddPasskey()
    const { response, prf } = await passkeys.create(options)
    await messenger.finishAddPasskey({ ceremony, response, prf })
    onDone()
  })
  return (
    <div className={css['form']}>
      <p className={css['quiet']}>{t('door.signUp.passkeyAside')}</p>
      <FailureLine failure={add.failure} />
      <Button kind="main" wide icon={<KeyRound size={18} aria-hidden="true" />} busy={add.running} onClick={add.start}>
        {t('ways.addPasskey')}
      </Button>
    </div>
  )
}

function Removal({ way, onDone }: { readonly way: UnlockMethod; readonly onDone: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const remove = useAction(async () => {
    await messenger.removeUnlockMethod({ unlock: way.unlock })
    onDone()
  })
  return (
    <div className={css['form']}>
      <p className={css['quiet']}>{t('ways.removeText', { name: t(`ways.kinds.${way.kind}`) })}</p>
      <FailureLine failure={remove.failure} />
      <Button kind="danger" wide busy={remove.running} onClick={remove.start}>
        {t('ways.remove')}
      </Button>
    </div>
  )
}
