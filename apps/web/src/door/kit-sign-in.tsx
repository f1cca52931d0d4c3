/** Signing in with a recovery kit: its words, typed or pasted, or what its code says. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { CopiedField, EntryForm } from './entry-form.tsx'
import { ResetAccount } from './reset-account.tsx'
import { useDoor } from './use-door.ts'

export function KitSignIn({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const { signInWithKit } = useDoor()
  const [kit, setKit] = useState('')
  const change = (typed: string) => {
    setKit(typed)
    signInWithKit.reset()
  }
  const enter = () => signInWithKit.start(kit)
  if (signInWithKit.failure?.name === 'vault_locked') return <ResetAccount onBack={onBack} />
  return (
    <EntryForm title={t('door.kit.title')} action={t('door.signIn.withPassword')} entering={signInWithKit} onEnter={enter} onBack={onBack}>
      <CopiedField
        label={t('door.kit.words')}
        hint={t('door.kit.hint')}
        name="kit"
        value={kit}
        onChange={(event) => change(event.target.value)}
        maxLength={500}
      />
    </EntryForm>
  )
}
