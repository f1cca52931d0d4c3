/** Gathers people by exact handle. Each is looked up before they count, so a misspelt name is caught at once. */
import { useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { UserRoundPlus, X } from 'lucide-react'
import type { ConversationSummary, Person } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { KnownPeople } from './known-people.tsx'
import css from './people.module.css'

interface PeoplePickerProps {
  readonly chosen: readonly Person[]
  readonly onChange: (people: readonly Person[]) => void
  readonly conversations: readonly ConversationSummary[]
  /** Who is in already. */
  readonly except?: readonly Person[]
}

export function PeoplePicker({ chosen, onChange, conversations, except = [] }: PeoplePickerProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [handle, setHandle] = useState('')
  const [problem, setProblem] = useState<string>()
  const gone = [...chosen, ...except]

  const add = (person: Person) => {
    setHandle('')
    if (except.some(({ account }) => account === person.account)) setProblem(t('people.alreadyIn', { handle: person.handle }))
    else if (!chosen.some(({ account }) => account === person.account)) onChange([...chosen, person])
  }
  const find = useAction(async (asked: string) => {
    const person = await messenger.findPerson({ handle: asked })
    if (person === undefined) setProblem(t('newDirect.nobody', { handle: asked }))
    else add(person)
  })
  const submit = () => {
    if (handle.trim() !== '') find.start(handle.trim())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }

  return (
    <div className={css['picker']}>
      <div className={css['search']}>
        <TextField
          label={t('people.add')}
          hint={t('people.hint')}
          problem={problem}
          className={css['grow']}
          value={handle}
          onChange={(event) => {
            setHandle(event.target.value)
            setProblem(undefined)
            find.reset()
          }}
          onKeyDown={onKeyDown}
          autoCapitalize="none"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          maxLength={32}
        />
        <Button icon={<UserRoundPlus size={18} aria-hidden="true" />} busy={find.running} onClick={submit} className={css['find']}>
          {t('people.addButton')}
        </Button>
      </div>
      <FailureLine failure={find.failure} />
      <Chips people={chosen} onRemove={(person) => onChange(chosen.filter((one) => one.account !== person.account))} />
      <KnownPeople conversations={conversations} except={gone} onChoose={add} />
    </div>
  )
}

function Chips({ people, onRemove }: { readonly people: readonly Person[]; readonly onRemove: (person: Person) => void }) {
  const { t } = useTranslation()
  return (
    <ul className={css['chips']} aria-label={t('people.chosen')} aria-live="polite">
      {people.map((person) => (
        <li key={person.account} className={css['chip']}>
          {person.handle}
          <button
            type="button"
            className={css['drop']}
            aria-label={t('people.drop', { handle: person.handle })}
            onClick={() => onRemove(person)}
          >
            <X size={16} aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  )
}
