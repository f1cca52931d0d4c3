/** Signing out. It wipes this browser, so it says so before and not after. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { LogOut } from 'lucide-react'
import { useLocation } from 'wouter'
import { forgetDrafts } from '../conversation/composer/drafts.ts'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'

export function SignOutSection() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [, navigate] = useLocation()
  const [asking, setAsking] = useState(false)
  const signOut = useAction(async () => {
    await messenger.signOut()
    forgetDrafts()
    navigate(paths.home, { replace: true })
  })
  return (
    <>
      <Button kind="danger" wide icon={<LogOut size={18} aria-hidden="true" />} onClick={() => setAsking(true)}>
        {t('settings.signOut')}
      </Button>
      <Confirm
        open={asking}
        title={t('settings.signOutTitle')}
        text={
          <>
            <p>{t('settings.signOutText')}</p>
            <p>{t('settings.signOutBack')}</p>
            <FailureLine failure={signOut.failure} />
          </>
        }
        action={t('settings.signOutAction')}
        busy={signOut.running}
        onConfirm={signOut.start}
        onClose={() => setAsking(false)}
      />
    </>
  )
}
