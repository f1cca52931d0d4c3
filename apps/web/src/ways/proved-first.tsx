/** Shows something only to somebody who has just proved that it is them; who cannot prove it by anything is let. */
import { useCallback, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Prove } from '../linking/prove.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useLoaded } from '../settings/use-loaded.ts'

/** Seconds that the last proof must still count, so that it does to the end. */
const ENOUGH = 60

export function ProvedFirst({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [state] = useLoaded(useCallback(() => messenger.proofState(), [messenger]))
  const [proved, setProved] = useState(false)
  if (state.kind === 'loading') return <p>{t('settings.loading')}</p>
  if (state.kind === 'failed') return <FailureLine failure={state.failure} />
  const { methods, provedFor } = state.value
  if (proved || methods.length === 0 || provedFor >= ENOUGH) return children
  return <Prove text={t('ways.prove')} onProved={() => setProved(true)} />
}
