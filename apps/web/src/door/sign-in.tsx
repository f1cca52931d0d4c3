/** Signing in: by passkey without typing anything, or by handle and password. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { KeyRound, MonitorSmartphone } from 'lucide-react'
import { Link } from 'wouter'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { paths } from '../routes.ts'
import css from './form.module.css'
import { PasswordField } from './password-field.tsx'
import { useDoor } from './use-door.ts'

/**
 * @param known the account that is signing in again on a device that has its keys.
 * @param onLink the person wants another device of theirs to let this one in.
 */
export function SignIn({ known, onLink }: { readonly known: string | undefined; readonly onLink: () => void }) {
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
      <Button kind="plain" wide icon={<MonitorSmartphone size={18} aria-hidden="true" />} onClick={onLink}>
        {t('linking.door')}
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
