/** People one already has a direct chat with, to choose without typing. */
import { useTranslation } from 'react-i18next'
import type { ConversationSummary, Person } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import css from './people.module.css'

interface KnownPeopleProps {
  readonly conversations: readonly ConversationSummary[]
  /** Not offered again. */
  readonly except?: readonly Person[]
  readonly onChoose: (person: Person) => void
}

export function KnownPeople({ conversations, except = [], onChoose }: KnownPeopleProps) {
  const { t } = useTranslation()
  const taken = new Set(except.map(({ account }) => account))
  const people = conversations.flatMap(({ peer }) => (peer === undefined || taken.has(peer.account) ? [] : [peer]))
  if (people.length === 0) return undefined
  return (
    <section className={css['known']}>
      <h2 className={css['heading']}>{t('people.known')}</h2>
      <ul>
        {people.map((person) => (
          <li key={person.account}>
            <button type="button" className={css['person']} onClick={() => onChoose(person)}>
              <Avatar id={person.account} name={person.handle} size="small" />
              {person.handle}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
