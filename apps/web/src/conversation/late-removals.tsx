/** Somebody was to go a while ago and still reads along: said where one writes, until it is true or taken back. */
import { useTranslation } from 'react-i18next'
import type { WaitingRemoval } from '@tacit/sdk'
import { useMoments } from '../time/use-moments.ts'
import { Alarm } from './alarm.tsx'

export function LateRemovals({ removals }: { readonly removals: readonly WaitingRemoval[] }) {
  const { t } = useTranslation()
  const { full } = useMoments()
  const late = removals.filter((removal) => removal.late)
  if (late.length === 0) return null
  return (
    <div role="alert">
      {late.map(({ person, asked }) => {
        const words = { name: person.nickname ?? person.handle, when: full(asked) }
        return <Alarm key={person.account} title={t('removal.late', words)} advice={t('removal.advice', words)} />
      })}
    </div>
  )
}
