/** Asks before somebody is blocked or removed. */
import { useTranslation } from 'react-i18next'
import type { ConversationId, ConversationMember } from '@tacit/sdk'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'

interface ConfirmProps {
  readonly member: ConversationMember
  readonly open: boolean
  readonly onClose: () => void
}

export function ConfirmBlocking({ member, open, onClose }: ConfirmProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const name = member.nickname ?? member.handle
  const block = useAction(async () => {
    await messenger.setBlocked({ account: member.account, blocked: true })
    onClose()
  })
  return (
    <Confirm
      open={open}
      title={t('contacts.blockTitle', { name })}
      text={
        <>
          <p>{t('contacts.blockText', { name })}</p>
          <FailureLine failure={block.failure} />
        </>
      }
      action={t('contacts.block')}
      busy={block.running}
      onConfirm={block.start}
      onClose={onClose}
    />
  )
}

export function ConfirmRemoving({ member, open, onClose, conversation }: ConfirmProps & { readonly conversation: ConversationId }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { account, handle } = member
  const remove = useAction(async () => {
    await messenger.removePerson({ conversation, account })
    onClose()
  })
  return (
    <Confirm
      open={open}
      title={t('details.removeTitle', { handle })}
      text={
        <>
          <p>{t('details.removeText', { handle })}</p>
          <FailureLine failure={remove.failure} />
        </>
      }
      action={t('details.remove')}
      busy={remove.running}
      onConfirm={remove.start}
      onClose={onClose}
    />
  )
}
