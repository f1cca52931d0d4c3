/** A name of one's own for somebody; nobody else sees it. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { Person } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from '../settings/settings.module.css'

export function NamePerson({ person, onClose }: { readonly person: Person; readonly onClose: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { account, handle } = person
  const [nickname, setNickname] = useState(person.nickname ?? '')
  const save = useAction(async () => {
    await messenger.setNickname({ account, nickname })
    onClose()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.start()
  }
  return (
    <Modal open title={t('contacts.nameTitle', { handle })} onClose={onClose}>
      <form className={css['form']} onSubmit={submit}>
        <TextField
          label={t('contacts.nickname')}
          hint={t('contacts.nicknameHint', { handle })}
          value={nickname}
          onChange={(event) => setNickname(event.target.value)}
          autoComplete="off"
          maxLength={64}
        />
        <FailureLine failure={save.failure} />
        <Button kind="main" type="submit" wide busy={save.running}>
          {t('contacts.save')}
        </Button>
      </form>
    </Modal>
  )
}
