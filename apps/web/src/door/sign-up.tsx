/** Creating an account: one name, then a passkey, or a password instead. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { KeyRound } from 'lucide-react'
import { Link } from 'wouter'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { paths } from '../routes.ts'
import css from './form.module.css'
import { passwordStrength } from './password-strength.ts'
import { NewPasswordField } from './password-field.tsx'
import { useDoor } from './use-door.ts'

export function SignUp() {
  const { t } = useTranslation()
  const door = useDoor()
  const [handle, setHandle] = useState('')
  const [password, setPassword] = useState('')
  const [withPassword, setWithPassword] = useState(!door.hasPasskeys)
  const action = withPassword ? door.signUpWithPassword : door.signUpWithPasskey
  const tooShort = withPassword && passwordStrength(password) === 'short'

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (withPassword) door.signUpWithPassword.start({ handle: handle.trim(), password })
    else door.signUpWithPasskey.start(handle.trim())
  }
  const typed = (set: (value: string) => void) => (value: string) => {
    set(value)
    action.reset()
  }

  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.signUp.title')}</h1>
      <TextField
        label={t('door.handle')}
        hint={t('door.signUp.handleHint')}
        name="username"
        value={handle}
        onChange={(event) => typed(setHandle)(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        minLength={3}
        maxLength={32}
        required
      />
      {withPassword && <NewPasswordField value={password} onChange={typed(setPassword)} />}
      <FailureLine failure={action.failure} />
      <Button
        kind="main"
        type="submit"
        wide
        busy={action.running}
        disabled={tooShort}
        icon={withPassword ? undefined : <KeyRound size={18} aria-hidden="true" />}
      >
        {withPassword ? t('door.signUp.create') : t('door.signUp.withPasskey')}
      </Button>
      {door.hasPasskeys && (
        <Button kind="quiet" wide onClick={() => setWithPassword((now) => !now)}>
          {withPassword ? t('door.signUp.passkeyInstead') : t('door.signUp.passwordInstead')}
        </Button>
      )}
      {!withPassword && <p className={css['aside']}>{t('door.signUp.passkeyAside')}</p>}
      <p className={css['other']}>
        <Link to={paths.signIn}>{t('door.signUp.haveAccount')}</Link>
      </p>
    </form>
  )
}
