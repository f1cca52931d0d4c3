/** Signing in with a recovery kit: its words, typed or pasted, or what its code says. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import css from './form.module.css'
import { StartAnew } from './start-anew.tsx'
import { useDoor } from './use-door.ts'

export function KitSignIn({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const { signInWithKit } = useDoor()
  const [kit, setKit] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signInWithKit.start(kit)
  }
  if (signInWithKit.failure?.name === 'vault_locked') return <StartAnew onBack={onBack} />
  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.kit.title')}</h1>
      <TextField
        label={t('door.kit.words')}
        hint={t('door.kit.hint')}
        name="kit"
        value={kit}
        onChange={(event) => {
          setKit(event.target.value)
          signInWithKit.reset()
        }}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        maxLength={500}
        required
      />
      <FailureLine failure={signInWithKit.failure} />
      <Button kind="main" type="submit" wide busy={signInWithKit.running}>
        {t('door.signIn.withPassword')}
      </Button>
      <Button kind="quiet" wide onClick={onBack}>
        {t('door.otherWay')}
      </Button>
    </form>
  )
}
