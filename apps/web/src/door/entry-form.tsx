/** One of the ways through the door: what it is called, what has to be typed, the button that does it, and the way back. */
import type { ComponentProps, FormEvent, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import type { Action } from '../messenger/use-action.ts'
import css from './form.module.css'

interface EntryFormProps {
  readonly title: string
  /** The words on the button. */
  readonly action: string
  readonly entering: Pick<Action<never>, 'running' | 'failure'>
  readonly onEnter: () => void
  readonly onBack: () => void
  readonly children: ReactNode
}

export function EntryForm({ title, action, entering, onEnter, onBack, children }: EntryFormProps) {
  const { t } = useTranslation()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onEnter()
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <h1 className={css['title']}>{title}</h1>
      {children}
      <FailureLine failure={entering.failure} />
      <Button kind="main" type="submit" wide busy={entering.running}>
        {action}
      </Button>
      <Button kind="quiet" wide onClick={onBack}>
        {t('door.otherWay')}
      </Button>
    </form>
  )
}

/** A field for what is copied letter by letter: nothing helps with it. */
export function CopiedField(props: ComponentProps<typeof TextField>) {
  return <TextField {...props} autoComplete="off" autoCapitalize="none" autoCorrect="off" spellCheck={false} required />
}
