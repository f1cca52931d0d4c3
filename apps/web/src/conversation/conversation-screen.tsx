/** An open conversation: its head, what was said, who is typing, and the place to write. */
import { lazy, Suspense, useCallback, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useWatch } from '../messenger/messenger-context.tsx'
import { useDocumentTitle } from '../platform/use-document-title.ts'
import { RequestAnswer } from '../requests/request-answer.tsx'
import { countUnread } from '../requests/requests.ts'
import { paths } from '../routes.ts'
import { Composer } from './composer/composer.tsx'
import { ConversationHeader } from './conversation-header.tsx'
import css from './conversation-screen.module.css'
import { LateRemovals } from './late-removals.tsx'
import { StandingLine } from './standing-line.tsx'
import { StuckLine } from './stuck-line.tsx'
import { TimelineView } from './timeline/timeline-view.tsx'
import { TypingLine } from './typing-line.tsx'
import { useEscape } from './use-escape.ts'

const Details = lazy(async () => ({ default: (await import('../details/details.tsx')).Details }))

interface ConversationScreenProps {
  readonly summary: ConversationSummary
  /** Whether the details are open beside it. */
  readonly about: boolean
}

export function ConversationScreen({ summary, about }: ConversationScreenProps) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const screen = useRef<HTMLDivElement>(null)
  const { conversation } = summary
  const timeline = useWatch('timeline', conversation)
  const unread = countUnread(useWatch('conversations'))
  useDocumentTitle({ title: summary.title, unread })
  const canWrite = summary.standing === 'active' || summary.standing === 'joining' || summary.standing === 'paused'
  const closeDetails = useCallback(() => navigate(paths.conversation(conversation)), [navigate, conversation])
  useEscape({ within: screen, on: about, escape: closeDetails })
  return (
    <div ref={screen} className={css['screen']} data-about={about}>
      <section className={css['conversation']} aria-label={t('conversation.label', { title: summary.title })}>
        <ConversationHeader summary={summary} about={about} />
        {timeline === undefined ? <Unopened /> : <TimelineView summary={summary} timeline={timeline} within={screen} escapes={!about} />}
        <div className={css['foot']}>
          <TypingLine people={timeline?.typing ?? []} named={summary.kind === 'group'} />
          <LateRemovals removals={summary.removals ?? []} />
          <Standing summary={summary} />
          {summary.request === undefined && canWrite && (
            <Composer conversation={conversation} title={summary.title} keptDraft={summary.draft} />
          )}
          {summary.request !== undefined && <RequestAnswer summary={summary} />}
        </div>
      </section>
      {about && (
        <Suspense>
          <Details summary={summary} />
        </Suspense>
      )}
    </div>
  )
}

function Standing({ summary }: Pick<ConversationScreenProps, 'summary'>) {
  if (summary.standing === 'active') return null
  return summary.standing === 'stuck' ? <StuckLine summary={summary} /> : <StandingLine standing={summary.standing} />
}

/** A moment, or what keeps it from being one. */
function Unopened() {
  const trouble = useWatch('trouble')
  return <div aria-busy={trouble === undefined}>{trouble && <FailureLine failure={{ name: trouble.failure }} />}</div>
}
