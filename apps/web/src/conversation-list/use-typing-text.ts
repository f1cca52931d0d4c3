/** "Bob is typing…" in words, for one, two or many. */
import { useTranslation } from 'react-i18next'
import type { Person } from '@tacit/sdk'

interface TypingTextOptions {
  readonly people: readonly Person[]
  /** Whether to say who; between two people it goes without saying. */
  readonly named: boolean
}

/** Undefined when nobody types. */
export function useTypingText({ people, named }: TypingTextOptions): string | undefined {
  const { t } = useTranslation()
  const [first, second] = people
  if (first === undefined) return undefined
  if (!named) return t('typing.unnamed')
  if (second === undefined) return t('typing.one', { name: first.nickname ?? first.handle })
  if (people.length === 2) return t('typing.two', { first: first.nickname ?? first.handle, second: second.nickname ?? second.handle })
  return t('typing.several', { count: people.length })
}
