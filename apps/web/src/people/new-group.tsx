/** Making a group: what it is called and who is in it. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { ConversationSummary, Person } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import css from './people.module.css'
import { PeoplePicker } from './people-picker.tsx'

export function NewGroup({ conversations }: { readonly conversations: readonly ConversationSummary[] }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [, navigate] = useLocation()
  const [title, setTitle] = useState('')
  const [people, setPeople] = useState<readonly Person[]>([])
  const create = useAction(async () => {
    const handles = people.map(({ handle }) => handle)
    navigate(paths.conversation(await messenger.createGroup({ title: title.trim(), handles })), { replace: true })
  })
  const ready = title.trim() !== '' && people.length > 0

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) create.start()
  }

  return (
    <Page title={t('newGroup.title')} ownFocus>
      <form className={css['group']} onSubmit={submit}>
        <TextField
          label={t('newGroup.name')}
          hint={t('newGroup.nameHint')}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          autoComplete="off"
          maxLength={80}
          // The page has one purpose, and this is where it begins.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
        />
        <PeoplePicker chosen={people} onChange={setPeople} conversations={conversations} />
        <FailureLine failure={create.failure} />
        <Button type="submit" kind="main" wide busy={create.running} disabled={!ready}>
          {people.length === 0 ? t('newGroup.create') : t('newGroup.createWith', { count: people.length + 1 })}
        </Button>
      </form>
    </Page>
  )
}
