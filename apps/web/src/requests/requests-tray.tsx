/** Everybody who waits for an answer: by handle, without what they say or what they call their group. */
import { useTranslation } from 'react-i18next'
import { UserRound, Users } from 'lucide-react'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Page } from '../design/page.tsx'
import { paths } from '../routes.ts'
import { useMoments, useToday } from '../time/use-moments.ts'
import css from './requests.module.css'

export function RequestsTray({ requests }: { readonly requests: readonly ConversationSummary[] }) {
  const { t } = useTranslation()
  return (
    <Page title={t('requests.title')}>
      <p className={css['hint']}>{requests.length === 0 ? t('requests.none') : t('requests.hint')}</p>
      <ul className={css['list']}>
        {requests.map((request) => (
          <Entry key={request.conversation} summary={request} />
        ))}
      </ul>
    </Page>
  )
}

function Entry({ summary }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const moments = useMoments()
  const today = useToday()
  const { conversation, kind, request, people, lastActivity } = summary
  const group = kind === 'group'
  return (
    <li className={css['item']}>
      <Link to={paths.conversation(conversation)} className={css['row']}>
        <span className={css['face']}>{group ? <Users size={20} aria-hidden="true" /> : <UserRound size={20} aria-hidden="true" />}</span>
        <span className={css['words']}>
          <bdi className={css['handle']}>{request?.by?.handle ?? t('requests.somebody')}</bdi>
          <span className={css['what']}>{group ? t('requests.invites', { count: people }) : t('requests.writes')}</span>
        </span>
        <time className={css['time']} dateTime={new Date(lastActivity).toISOString()}>
          {moments.brief(lastActivity, today)}
        </time>
      </Link>
    </li>
  )
}
