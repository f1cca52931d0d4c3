/** For somebody with no way to sign in left: a code from whoever runs the server lets them begin anew. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './form.module.css'
import { StartAnew } from './start-anew.tsx'

export function CodeSignIn({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [handle, setHandle] = useState('')
  const [code, setCode] = useState('')
  const [entered, setEntered] = useState(false)
  const enter = useAction(async () => {
    await messenger.enterRecoveryCode({ handle: handle.trim(), code })
    setEntered(true)
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    enter.start()
  }
  if (entered) return <StartAnew onBack={onBack} />
  const plain = { autoComplete: 'off', autoCapitalize: 'none', autoCorrect: 'off', spellCheck: false, required: true } as const
  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{t('door.lost.title')}</h1>
      <p>{t('door.lost.text')}</p>
      <TextField label={t('door.handle')} name="username" value={handle} onChange={(event) => setHandle(event.target.value)} {...plain} />
      <TextField label={t('door.lost.code')} name="code" value={code} onChange={(event) => setCode(event.target.value)} {...plain} />
      <FailureLine failure={enter.failure} />
      <Button kind="main" type="submit" wide busy={enter.running}>
        {t('door.lost.action')}
      </Button>
      <Button kind="quiet" wide onClick={onBack}>
        {t('door.otherWay')}
      </Button>
    </form>
  )
}
