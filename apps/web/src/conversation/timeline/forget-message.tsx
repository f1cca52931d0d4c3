/** Deleting a message for oneself. The question says whom it does not concern. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Trash2 } from 'lucide-react'
import type { ConversationId, MessageId } from '@tacit/sdk'
import { Confirm } from '../../design/confirm.tsx'
import { IconButton } from '../../design/icon-button.tsx'
import { FailureLine } from '../../messenger/failure-line.tsx'
import { useMessenger } from '../../messenger/messenger-context.tsx'
import { useAction } from '../../messenger/use-action.ts'

interface ForgetMessageProps {
  readonly conversation: ConversationId
  readonly message: MessageId
  readonly className: string | undefined
}

export function ForgetMessage({ conversation, message, className }: ForgetMessageProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [asking, setAsking] = useState(false)
  const forget = useAction(async () => {
    await messenger.forget({ conversation, message })
    setAsking(false)
  })
  return (
    <>
      <IconButton
        label={t('message.forget')}
        icon={<Trash2 size={16} aria-hidden="true" />}
        onClick={() => setAsking(true)}
        className={className}
      />
      <Confirm
        open={asking}
        title={t('message.forgetTitle')}
        text={
          <>
            <p>{t('message.forgetText')}</p>
            <FailureLine failure={forget.failure} />
          </>
        }
        action={t('message.forget')}
        busy={forget.running}
        onConfirm={forget.start}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
