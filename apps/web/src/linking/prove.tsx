/** Asks the person to prove that it is them, by whatever their account has. */
import { useCallback, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { KeyRound } from 'lucide-react'
import { Button } from '../design/button.tsx'
import { PasswordField } from '../door/password-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { useLoaded } from '../settings/use-loaded.ts'
import css from './linking.module.css'

interface ProveProps {
  /** Why it is asked. */
  readonly text: string
  readonly onProved: () => void
}

export function Prove({ text, onProved }: ProveProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { passkeys } = usePlatform()
  const [state] = useLoaded(useCallback(() => messenger.proofState(), [messenger]))
  const [password, setPassword] = useState('')
  const byPassword = useAction(async () => {
    await messenger.proveByPassword({ password })
    onProved()
  })
  const byPasskey = useAction(async () => {
    if (!passkeys) return
    const { ceremony, options } = await messenger.beginPasskeyProof()
    const { response } = await passkeys.use(options)
    await messenger.finishPasskeyProof({ ceremony, response })
    onProved()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    byPassword.start()
  }
  if (state.kind === 'loading') return <p className={css['quiet']}>{t('settings.loading')}</p>
  if (state.kind === 'failed') return <FailureLine failure={state.failure} />
  const { methods } = state.value
  const canPasskey = methods.includes('passkey') && passkeys !== undefined
  return (
    <form className={css['step']} onSubmit={submit}>
      <p className={css['quiet']}>{text}</p>
      {canPasskey && (
        <Button kind="main" wide icon={<KeyRound size={18} aria-hidden="true" />} busy={byPasskey.running} onClick={byPasskey.start}>
          {t('prove.passkey')}
        </Button>
      )}
      {methods.includes('password') && (
        <>
          <PasswordField label={t('door.password')} value={password} onChange={setPassword} autoComplete="current-password" />
          <Button kind={canPasskey ? 'plain' : 'main'} type="submit" wide busy={byPassword.running} disabled={password === ''}>
            {t('prove.action')}
          </Button>
        </>
      )}
      <FailureLine failure={byPasskey.failure ?? byPassword.failure} />
    </form>
  )
}
