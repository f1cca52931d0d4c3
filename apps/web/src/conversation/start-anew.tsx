/** A new group in the place of one that is stuck: whom to take along is the person's decision, because one of them may have broken it. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { ConversationId, Person } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import css from './start-anew.module.css'

interface StartAnewProps {
  readonly conversation: ConversationId
  readonly onClose: () => void
}

export function StartAnew({ conversation, onClose }: StartAnewProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [, navigate] = useLocation()
  const [without, setWithout] = useState<ReadonlySet<string>>(new Set())
  const others = (useWatch('details', conversation)?.members ?? []).filter(({ me }) => !me)
  const people = others.map(({ account }) => account).filter((account) => !without.has(account))
  const start = useAction(async () => {
    const next = await messenger.startAnew({ conversation, people })
    onClose()
    navigate(paths.conversation(next))
  })
  const change = ({ account }: Person) =>
    setWithout(new Set(without.has(account) ? [...without].filter((one) => one !== account) : [...without, account]))
  return (
    <Modal open title={t('anew.title')} onClose={onClose}>
      <p>{t('anew.text')}</p>
      <fieldset className={css['people']}>
        <legend className={css['legend']}>{t('anew.people')}</legend>
        {others.map((person) => (
          <label key={person.account} className={css['person']}>
            <input type="checkbox" checked={!without.has(person.account)} onChange={() => change(person)} />
            <Avatar id={person.account} name={person.nickname ?? person.handle} size="small" />
            {person.nickname ?? person.handle}
          </label>
        ))}
      </fieldset>
      <FailureLine failure={start.failure} />
      <Button kind="main" wide busy={start.running} onClick={start.start}>
        {t('anew.go')}
      </Button>
    </Modal>
  )
}
