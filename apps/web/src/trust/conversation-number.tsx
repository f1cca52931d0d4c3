/** The number that all members see who are in the same state of a group; asked for when somebody opens it. */
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConversationId } from '@tacit/sdk'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useLoaded } from '../settings/use-loaded.ts'
import { Digits } from './digits.tsx'

/** Of the epoch in which it is first drawn: give it a key that changes with the epoch. */
export function ConversationNumber({ conversation }: { readonly conversation: ConversationId }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const load = useCallback(() => messenger.conversationNumber({ conversation }), [messenger, conversation])
  const [loaded] = useLoaded(load)
  if (loaded.kind === 'failed') return <FailureLine failure={loaded.failure} />
  if (loaded.kind !== 'ready') return null
  return <Digits groups={loaded.value} label={t('details.number')} />
}
