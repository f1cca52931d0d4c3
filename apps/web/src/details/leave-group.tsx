/** Leaving a group, after a question. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { LogOut } from 'lucide-react'
import type { ConversationId } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'

export function LeaveGroup({ conversation, title }: { readonly conversation: ConversationId; readonly title: string }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [asking, setAsking] = useState(false)
  const leave = useAction(async () => {
    await messenger.leave({ conversation })
    setAsking(false)
  })
  return (
    <>
      <Button kind="danger" wide icon={<LogOut size={18} aria-hidden="true" />} onClick={() => setAsking(true)}>
        {t('details.leave')}
      </Button>
      <Confirm
        open={asking}
        title={t('details.leaveTitle', { title })}
        text={
          <>
            <p>{t('details.leaveText')}</p>
            <FailureLine failure={leave.failure} />
          </>
        }
        action={t('details.leave')}
        busy={leave.running}
        onConfirm={leave.start}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
