/** People who have a name of one's own or are blocked, on all own devices. */
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Contact } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { NamePerson } from '../people/name-person.tsx'
import { Section } from './section.tsx'
import css from './settings.module.css'
import { useLoaded } from './use-loaded.ts'

export function ContactsSection() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [contacts, again] = useLoaded(useCallback(() => messenger.contacts(), [messenger]))
  if (contacts.kind === 'failed') return <FailureLine failure={contacts.failure} />
  if (contacts.kind === 'loading' || contacts.value.length === 0) return undefined
  return (
    <Section title={t('contacts.title')} hint={t('contacts.hint')}>
      <ul>
        {contacts.value.map((contact) => (
          <Entry key={contact.account} contact={contact} onChange={again} />
        ))}
      </ul>
    </Section>
  )
}

function Entry({ contact, onChange }: { readonly contact: Contact; readonly onChange: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [naming, setNaming] = useState(false)
  const { account, handle, nickname, blocked } = contact
  const unblock = useAction(async () => {
    await messenger.setBlocked({ account, blocked: false })
    onChange()
  })
  const name = nickname ?? handle
  return (
    <li className={css['entry']}>
      <span className={css['words']}>
        <span className={css['name']}>{name}</span>
        <span className={css['quiet']}>
          {[nickname !== undefined && handle, blocked && t('contacts.blocked')].filter(Boolean).join(' · ')}
        </span>
      </span>
      <Button aria-label={t('contacts.nameLabel', { name })} onClick={() => setNaming(true)}>
        {t('contacts.name')}
      </Button>
      {blocked && (
        <Button aria-label={t('contacts.unblockLabel', { name })} busy={unblock.running} onClick={unblock.start}>
          {t('contacts.unblock')}
        </Button>
      )}
      <FailureLine failure={unblock.failure} />
      {naming && (
        <NamePerson
          person={contact}
          onClose={() => {
            setNaming(false)
            onChange()
          }}
        />
      )}
    </li>
  )
}
