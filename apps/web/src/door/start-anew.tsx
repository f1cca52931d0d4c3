/** Somebody whom the server knows and whose vault does not open: what beginning anew means, and the way to do it. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import css from './form.module.css'
import { NewPasswordField } from './password-field.tsx'
import { passwordStrength } from './password-strength.ts'
import { useDoor } from './use-door.ts'

export function StartAnew({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const { resetAccount } = useDoor()
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    resetAccount.start(password)
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.anew.title')}</h1>
      <p>{t('door.anew.text')}</p>
      <ul className={css['facts']}>
        <li>{t('door.anew.keeps')}</li>
        <li>{t('door.anew.loses')}</li>
        <li>{t('door.anew.seen')}</li>
      </ul>
      <NewPasswordField value={password} onChange={setPassword} />
      <FailureLine failure={resetAccount.failure} />
      <Button kind="danger" type="submit" wide busy={resetAccount.running} disabled={passwordStrength(password) === 'short'}>
        {t('door.anew.action')}
      </Button>
      <Button kind="quiet" wide onClick={onBack}>
        {t('door.otherWay')}
      </Button>
    </form>
  )
}
