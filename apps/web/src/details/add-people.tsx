/** Adding people to a group. They see what is written from then on, and nothing from before. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { UserRoundPlus } from 'lucide-react'
import type { ConversationId, Person } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { PeoplePicker } from '../people/people-picker.tsx'

interface AddPeopleProps {
  readonly conversation: ConversationId
  readonly members: readonly Person[]
}

export function AddPeople({ conversation, members }: AddPeopleProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const conversations = useWatch('conversations') ?? []
  const [open, setOpen] = useState(false)
  const [people, setPeople] = useState<readonly Person[]>([])
  const close = () => {
    setOpen(false)
    setPeople([])
  }
  const add = useAction(async () => {
    await messenger.addPeople({ conversation, handles: people.map(({ handle }) => handle) })
    close()
  })
  return (
    <>
      <Button kind="quiet" icon={<UserRoundPlus size={18} aria-hidden="true" />} onClick={() => setOpen(true)}>
        {t('details.add')}
      </Button>
      <Modal open={open} title={t('details.add')} onClose={close}>
        <PeoplePicker chosen={people} onChange={setPeople} conversations={conversations} except={members} />
        <FailureLine failure={add.failure} />
        <Button kind="main" wide busy={add.running} disabled={people.length === 0} onClick={add.start}>
          {t('details.addCount', { count: people.length })}
        </Button>
      </Modal>
    </>
  )
}
