/** A group's title, and a pencil to change it. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Pencil } from 'lucide-react'
import type { ConversationId } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { IconButton } from '../design/icon-button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './rename-group.module.css'

export function RenameGroup({ conversation, title }: { readonly conversation: ConversationId; readonly title: string }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [draft, setDraft] = useState<string>()
  const rename = useAction(async (next: string) => {
    if (next !== title) await messenger.rename({ conversation, title: next })
    setDraft(undefined)
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const next = draft?.trim() ?? ''
    if (next !== '') rename.start(next)
  }
  if (draft === undefined) {
    return (
      <div className={css['shown']}>
        <p className={css['name']}>{title}</p>
        <IconButton label={t('details.rename')} icon={<Pencil size={17} />} onClick={() => setDraft(title)} />
      </div>
    )
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <TextField
        label={t('newGroup.name')}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        maxLength={80}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.preventDefault()
          setDraft(undefined)
        }}
        // Opened by its own pencil: the next thing is typing.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
      />
      <FailureLine failure={rename.failure} />
      <div className={css['choices']}>
        <Button onClick={() => setDraft(undefined)}>{t('confirm.cancel')}</Button>
        <Button kind="main" type="submit" busy={rename.running} disabled={draft.trim() === ''}>
          {t('details.save')}
        </Button>
      </div>
    </form>
  )
}
