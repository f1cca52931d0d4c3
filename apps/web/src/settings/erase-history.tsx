/** Erasing the archive from the server. It cannot be taken back, so it says before what stays. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Trash2 } from 'lucide-react'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'

export function EraseHistory() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [asking, setAsking] = useState(false)
  const erase = useAction(async () => {
    await messenger.eraseHistory()
    setAsking(false)
  })
  return (
    <>
      <Button kind="danger" wide icon={<Trash2 size={18} aria-hidden="true" />} onClick={() => setAsking(true)}>
        {t('history.erase')}
      </Button>
      <Confirm
        open={asking}
        title={t('history.eraseTitle')}
        text={
          <>
            <p>{t('history.eraseText')}</p>
            <FailureLine failure={erase.failure} />
          </>
        }
        action={t('history.eraseAction')}
        busy={erase.running}
        onConfirm={erase.start}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
