/** Somebody whom the server knows and whose vault does not open: what beginning anew means, and the way to do it. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import css from './form.module.css'
import { NewPasswordField } from './password-field.tsx'
import { passwordStrength } from './password-strength.ts'
import { useDoor } from './use-door.ts'

export function ResetAccount({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const { resetAccount } = useDoor()
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    resetAccount.start(password)
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.reset.title')}</h1>
      <p>{t('door.reset.text')}</p>
      <ul className={css['facts']}>
        <li>{t('door.reset.keeps')}</li>
        <li>{t('door.reset.loses')}</li>
        <li>{t('door.reset.seen')}</li>
      </ul>
      <NewPasswordField value={password} onChange={setPassword} />
      <FailureLine failure={resetAccount.failure} />
      <Button kind="danger" type="submit" wide busy={resetAccount.running} disabled={passwordStrength(password) === 'short'}>
        {t('door.reset.action')}
      </Button>
      <Button kind="quiet" wide onClick={onBack}>
        {t('door.otherWay')}
      </Button>
    </form>
  )
}
