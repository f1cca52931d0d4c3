/** Everything before the first conversation: creating an account, signing in, and what is said while it happens. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { SessionState } from '@tacit/sdk'
import { Logo } from '../design/logo.tsx'
import { useDocumentTitle } from '../platform/use-document-title.ts'
import { paths } from '../routes.ts'
import { CodeSignIn } from './code-sign-in.tsx'
import { DoorNotice } from './door-notice.tsx'
import css from './door-screen.module.css'
import { EnteringProgress } from './entering-progress.tsx'
import { KitSignIn } from './kit-sign-in.tsx'
import { Promises } from './promises.tsx'
import { ShowCode } from '../linking/show-code.tsx'
import { SignIn } from './sign-in.tsx'
import { SignUp } from './sign-up.tsx'

type DoorSession = Extract<SessionState, { kind: 'signed_out' | 'signing_in' | 'session_ended' }>

export function DoorScreen({ session }: { readonly session: DoorSession }) {
  const { t } = useTranslation()
  const [location] = useLocation()
  // Who was here before comes to sign in, unless they ask for the other. Decided once: the form outlives what follows.
  const [newcomer] = useState(session.kind === 'signed_out' && session.why === 'fresh')
  const signIn = location === paths.signIn || (location !== paths.signUp && !newcomer)
  useDocumentTitle({ title: signIn ? t('door.signIn.title') : t('door.signUp.title') })
  const entering = session.kind === 'signing_in'
  return (
    <div className={css['door']}>
      <header className={css['hero']}>
        <div className={css['brand']}>
          <Logo size={44} />
          <span className={css['name']}>Tacit</span>
        </div>
        <p className={css['tagline']}>{t('door.tagline')}</p>
        <Promises />
      </header>
      <main className={css['main']}>
        <div className={css['card']}>
          {entering && <EnteringProgress step={session.step} />}
          {/* Stays mounted while it happens, so that a refusal finds the form as it was. */}
          <div hidden={entering} className={css['form']}>
            <DoorNotice session={session} />
            <Way signIn={signIn} known={session.kind === 'session_ended' ? session.me.handle : undefined} />
          </div>
        </div>
      </main>
    </div>
  )
}

type OtherWay = 'link' | 'kit' | 'code'

/** Creating, signing in, or one of the other ways in. */
function Way({ signIn, known }: { readonly signIn: boolean; readonly known: string | undefined }) {
  const [other, setOther] = useState<OtherWay>()
  const back = () => setOther(undefined)
  if (!signIn) return <SignUp />
  switch (other) {
    case undefined:
      return <SignIn known={known} onOther={setOther} />
    case 'link':
      return <ShowCode onBack={back} />
    case 'kit':
      return <KitSignIn onBack={back} />
    case 'code':
      return <CodeSignIn onBack={back} />
  }
}
