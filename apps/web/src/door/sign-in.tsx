/** Signing in: by passkey without typing anything, or by handle and password. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { FileKey2, KeyRound, MonitorSmartphone } from 'lucide-react'
import { Link } from 'wouter'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { paths } from '../routes.ts'
import css from './form.module.css'
import { PasswordField } from './password-field.tsx'
import { ResetAccount } from './reset-account.tsx'
import { useDoor } from './use-door.ts'

/**
 * @param known the account that is signing in again on a device that has its keys.
 * @param onOther the person wants to come in by another device of theirs, by their recovery kit, or has no way left.
 */
export function SignIn({
  known,
  onOther,
}: {
  readonly known: string | undefined
  readonly onOther: (way: 'link' | 'kit' | 'code') => void
}) {
  const { t } = useTranslation()
  const door = useDoor()
  const [handle, setHandle] = useState(known ?? '')
  const [password, setPassword] = useState('')

  const submit = (event: FormEvent) => {
    event.preventDefault()
    door.signInWithPasskey.reset()
    door.signInWithPassword.start({ handle: handle.trim(), password })
  }
  const passkey = () => {
    door.signInWithPassword.reset()
    door.signInWithPasskey.start()
  }

  const isLocked = [door.signInWithPassword.failure, door.signInWithPasskey.failure].some((failure) => failure?.name === 'vault_locked')
  if (isLocked) {
    const back = () => {
      door.signInWithPassword.reset()
      door.signInWithPasskey.reset()
    }
    return <ResetAccount onBack={back} />
  }

  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.signIn.title')}</h1>
      {door.hasPasskeys && (
        <>
          <Button kind="main" wide icon={<KeyRound size={18} aria-hidden="true" />} busy={door.signInWithPasskey.running} onClick={passkey}>
            {t('door.signIn.withPasskey')}
          </Button>
          <FailureLine failure={door.signInWithPasskey.failure} />
          <p className={css['or']}>{t('door.signIn.or')}</p>
        </>
      )}
      <TextField
        label={t('door.handle')}
        name="username"
        value={handle}
        onChange={(event) => setHandle(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        readOnly={known !== undefined}
        maxLength={32}
        required
      />
      <PasswordField label={t('door.password')} value={password} onChange={setPassword} autoComplete="current-password" />
      <FailureLine failure={door.signInWithPassword.failure} />
      <Button kind={door.hasPasskeys ? 'plain' : 'main'} type="submit" wide busy={door.signInWithPassword.running}>
        {t('door.signIn.withPassword')}
      </Button>
      <Button kind="plain" wide icon={<MonitorSmartphone size={18} aria-hidden="true" />} onClick={() => onOther('link')}>
        {t('linking.door')}
      </Button>
      <Button kind="plain" wide icon={<FileKey2 size={18} aria-hidden="true" />} onClick={() => onOther('kit')}>
        {t('door.signIn.withKit')}
      </Button>
      <Button kind="quiet" wide onClick={() => onOther('code')}>
        {t('door.signIn.noWay')}
      </Button>
      <p className={css['other']}>
        {known === undefined ? (
          <Link to={paths.signUp}>{t('door.signIn.noAccount')}</Link>
        ) : (
          <Link to={paths.home}>{t('door.signIn.backToReading')}</Link>
        )}
      </p>
    </form>
  )
}
