/** The messenger itself: the list on one side, what is open on the other; on a phone one of the two at a time. */
import { lazy, Suspense, useCallback, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { SessionState } from '@tacit/sdk'
import { ConversationList } from '../conversation-list/conversation-list.tsx'
import { useStillHere } from '../lock/use-still-here.ts'
import { useWatch } from '../messenger/messenger-context.tsx'
import { useSharedPreferences } from '../preferences/shared.ts'
import { splitRequests } from '../requests/requests.ts'
import { paths } from '../routes.ts'
import { Announcer } from './announcer.tsx'
import { ConnectionStrip } from './connection-strip.tsx'
import { KitStrip } from './kit-strip.tsx'
import { HistoryStrip } from './history-strip.tsx'
import { MainPane } from './main-pane.tsx'
import { NewDeviceStrip } from './new-device-strip.tsx'
import css from './shell.module.css'
import { useShortcuts } from './use-shortcuts.ts'

const Switcher = lazy(async () => ({ default: (await import('../switcher/switcher.tsx')).Switcher }))

export type InsideSession = Extract<SessionState, { kind: 'signed_in' | 'session_ended' }>

export function Shell({ session }: { readonly session: InsideSession }) {
  const { t } = useTranslation()
  const all = useWatch('conversations')
  const split = useMemo(() => all && splitRequests(all), [all])
  const conversations = split?.inbox
  const [location] = useLocation()
  const [switching, setSwitching] = useState(false)
  const openSwitcher = useCallback(() => setSwitching(true), [])
  useStillHere()
  useSharedPreferences()
  useShortcuts({ conversations, openSwitcher })
  const atHome = ([paths.home, paths.signIn, paths.signUp] as string[]).includes(location)
  return (
    <main className={css['shell']} data-showing={atHome ? 'list' : 'main'}>
      <a href="#open" className={css['skip']}>
        {t('shell.skip')}
      </a>
      <div className={css['strips']}>
        <ConnectionStrip sessionEnded={session.kind === 'session_ended'} />
        <HistoryStrip />
        <NewDeviceStrip />
        {session.kind === 'signed_in' && <KitStrip />}
      </div>
      <div className={css['list']}>
        {atHome && <h1 className="sr-only">{t('list.label')}</h1>}
        <ConversationList me={session.me} conversations={conversations} requests={split?.requests.length ?? 0} onSearch={openSwitcher} />
      </div>
      <div id="open" tabIndex={-1} className={css['main']}>
        <MainPane session={session} conversations={conversations} requests={split?.requests ?? []} />
      </div>
      <Announcer conversations={all} />
      {switching && (
        <Suspense>
          <Switcher conversations={conversations ?? []} onClose={() => setSwitching(false)} />
        </Suspense>
      )}
    </main>
  )
}
