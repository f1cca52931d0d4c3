/** Starting a chat with one person, found by their exact handle. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { UserRoundSearch } from 'lucide-react'
import { useLocation } from 'wouter'
import type { ConversationSummary, Person } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import { KnownPeople } from './known-people.tsx'
import css from './people.module.css'

type Answer = { readonly kind: 'found'; readonly person: Person } | { readonly kind: 'nobody'; readonly handle: string }

export function NewDirect({ conversations }: { readonly conversations: readonly ConversationSummary[] }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [, navigate] = useLocation()
  const [handle, setHandle] = useState('')
  const [answer, setAnswer] = useState<Answer>()
  const find = useAction(async (asked: string) => {
    const person = await messenger.findPerson({ handle: asked })
    setAnswer(person === undefined ? { kind: 'nobody', handle: asked } : { kind: 'found', person })
  })
  const begin = useAction(async (asked: string) => {
    navigate(paths.conversation(await messenger.startDirect({ handle: asked })), { replace: true })
  })

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (handle.trim() !== '') find.start(handle.trim())
  }
  const typed = (value: string) => {
    setHandle(value)
    setAnswer(undefined)
    find.reset()
    begin.reset()
  }

  return (
    <Page title={t('newDirect.title')} ownFocus>
      <form className={css['search']} onSubmit={submit}>
        <TextField
          label={t('newDirect.handle')}
          hint={t('newDirect.hint')}
          className={css['grow']}
          value={handle}
          onChange={(event) => typed(event.target.value)}
          autoCapitalize="none"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          maxLength={32}
          // The page has one purpose, and this is it.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
        />
        <Button type="submit" kind="main" busy={find.running} disabled={handle.trim() === ''} className={css['find']}>
          {t('newDirect.find')}
        </Button>
      </form>
      <FailureLine failure={find.failure ?? begin.failure} />
      <div aria-live="polite">
        {answer?.kind === 'found' && (
          <div className={css['card']}>
            <Avatar id={answer.person.account} name={answer.person.handle} />
            <strong className={css['name']}>{answer.person.handle}</strong>
            <Button kind="main" busy={begin.running} onClick={() => begin.start(answer.person.handle)}>
              {t('newDirect.start')}
            </Button>
          </div>
        )}
        {answer?.kind === 'nobody' && (
          <div className={css['nobody']}>
            <UserRoundSearch size={22} aria-hidden="true" />
            <p>{t('newDirect.nobody', { handle: answer.handle })}</p>
          </div>
        )}
      </div>
      <KnownPeople conversations={conversations} onChoose={(person) => begin.start(person.handle)} />
    </Page>
  )
}
