/** Where this account is signed in, and the way to end it there. */
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import type { SessionId, SessionInfo } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { useMoments } from '../time/use-moments.ts'
import { Section } from './section.tsx'
import css from './settings.module.css'
import { useLoaded } from './use-loaded.ts'

export function SessionsSection() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [sessions, again] = useLoaded(useCallback(() => messenger.sessions(), [messenger]))
  const revoke = useAction(async (session: SessionId) => {
    await messenger.revokeSession({ session })
    again()
  })
  return (
    <Section title={t('settings.sessions')} hint={t('settings.sessionsHint')}>
      {sessions.kind === 'loading' && <p className={css['entry']}>{t('settings.loading')}</p>}
      <FailureLine failure={sessions.kind === 'failed' ? sessions.failure : revoke.failure} />
      {sessions.kind === 'ready' && (
        <ul>
          {sessions.value.map((session) => (
            <SessionEntry key={session.session} session={session} busy={revoke.running} onRevoke={revoke.start} />
          ))}
        </ul>
      )}
    </Section>
  )
}

interface SessionEntryProps {
  readonly session: SessionInfo
  readonly busy: boolean
  readonly onRevoke: (session: SessionId) => void
}

function SessionEntry({ session, busy, onRevoke }: SessionEntryProps) {
  const { t } = useTranslation()
  const moments = useMoments()
  const { now } = usePlatform()
  const { current, method, createdAt, lastUsedAt } = session
  const since = moments.day(createdAt, now())
  return (
    <li className={css['entry']}>
      <div className={css['words']}>
        <span className={css['name']}>{t(`settings.methods.${method}`)}</span>
        <span className={css['quiet']}>{t('settings.sessionUsed', { since, ago: moments.ago(lastUsedAt, now()) })}</span>
      </div>
      {current ? (
        <span className={css['tag']}>{t('settings.thisSession')}</span>
      ) : (
        <Button kind="danger" busy={busy} onClick={() => onRevoke(session.session)} aria-label={t('settings.revokeLabel', { since })}>
          {t('settings.revoke')}
        </Button>
      )}
    </li>
  )
}
