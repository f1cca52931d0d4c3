/** What the address says is open. */
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { ConversationScreen } from '../conversation/conversation-screen.tsx'
import { ErrorBoundary } from '../error-boundary.tsx'
import { paths, patterns } from '../routes.ts'
import { Broken, ConversationMissing, NothingOpen, Waiting } from './placeholders.tsx'
import type { InsideSession } from './shell.tsx'

const NewDirect = lazy(async () => ({ default: (await import('../people/new-direct.tsx')).NewDirect }))
const NewGroup = lazy(async () => ({ default: (await import('../people/new-group.tsx')).NewGroup }))
const Encryption = lazy(async () => ({ default: (await import('../settings/encryption.tsx')).Encryption }))
const SecurityLog = lazy(async () => ({ default: (await import('../settings/security-log.tsx')).SecurityLog }))
const History = lazy(async () => ({ default: (await import('../settings/history.tsx')).History }))
const RequestsTray = lazy(async () => ({ default: (await import('../requests/requests-tray.tsx')).RequestsTray }))
const KitPage = lazy(async () => ({ default: (await import('../ways/kit-page.tsx')).KitPage }))
const Held = lazy(async () => ({ default: (await import('../settings/held.tsx')).Held }))
const Settings = lazy(async () => ({ default: (await import('../settings/settings.tsx')).Settings }))

interface MainPaneProps {
  readonly session: InsideSession
  /** Those that their person has taken up. */
  readonly conversations: readonly ConversationSummary[] | undefined
  readonly requests: readonly ConversationSummary[]
}

export function MainPane(props: MainPaneProps) {
  const [place] = useLocation()
  return (
    <ErrorBoundary place={place} fallback={<Broken />}>
      <Suspense fallback={<Waiting />}>
        <Open {...props} />
      </Suspense>
    </ErrorBoundary>
  )
}

function Open({ session, conversations, requests }: MainPaneProps) {
  const all = conversations && [...conversations, ...requests]
  return (
    <Switch>
      <Route path={paths.home}>
        <NothingOpen conversations={conversations} />
      </Route>
      <Route path={patterns.about}>{({ id }) => <Opened id={id} conversations={all} about />}</Route>
      <Route path={patterns.conversation}>{({ id }) => <Opened id={id} conversations={all} />}</Route>
      <Route path={paths.requests}>
        <RequestsTray requests={requests} />
      </Route>
      <Route path={paths.newDirect}>
        <NewDirect conversations={conversations ?? []} />
      </Route>
      <Route path={paths.newGroup}>
        <NewGroup conversations={conversations ?? []} />
      </Route>
      <Route path={paths.encryption}>
        <Encryption conversations={conversations ?? []} />
      </Route>
      <Route path={paths.events}>
        <SecurityLog />
      </Route>
      <Route path={paths.history}>
        <History />
      </Route>
      <Route path={paths.kit}>
        <KitPage />
      </Route>
      <Route path={paths.held}>
        <Held />
      </Route>
      <Route path={paths.settings}>
        <Settings session={session} />
      </Route>
      <Route>
        <Redirect to={paths.home} replace />
      </Route>
    </Switch>
  )
}

interface OpenedProps {
  readonly id: string
  readonly conversations: readonly ConversationSummary[] | undefined
  readonly about?: boolean
}

function Opened({ id, conversations, about = false }: OpenedProps) {
  const { t } = useTranslation()
  if (conversations === undefined) return <Waiting />
  const summary = conversations.find(({ conversation }) => conversation === id)
  if (summary === undefined) return <ConversationMissing />
  // What a stranger calls their group is theirs to choose: it is not the first thing to be read.
  const isInvitation = summary.request !== undefined && summary.kind === 'group'
  const shown = isInvitation ? { ...summary, title: t('requests.groupTitle') } : summary
  return <ConversationScreen key={id} summary={shown} about={about} />
}
