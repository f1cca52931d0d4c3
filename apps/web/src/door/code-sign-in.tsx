/** For somebody with no way to sign in left: a code from whoever runs the server lets them begin anew. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { CopiedField, EntryForm } from './entry-form.tsx'
import { ResetAccount } from './reset-account.tsx'

export function CodeSignIn({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [handle, setHandle] = useState('')
  const [code, setCode] = useState('')
  const [entered, setEntered] = useState(false)
  const enter = useAction(async () => {
    await messenger.enterRecoveryCode({ handle: handle.trim(), code })
    setEntered(true)
  })
  if (entered) return <ResetAccount onBack={onBack} />
  return (
    <EntryForm title={t('door.lost.title')} action={t('door.lost.action')} entering={enter} onEnter={enter.start} onBack={onBack}>
      <p>{t('door.lost.text')}</p>
      <CopiedField label={t('door.handle')} name="username" value={handle} onChange={(event) => setHandle(event.target.value)} />
      <CopiedField label={t('door.lost.code')} name="code" value={code} onChange={(event) => setCode(event.target.value)} />
    </EntryForm>
  )
}
