/** The left side: who is signed in, what can be begun, and every conversation, the liveliest first. */
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { MessageCirclePlus, Search, Settings, Users } from 'lucide-react'
import { Link, useRoute } from 'wouter'
import type { ConversationSummary, Person } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { IconButton, IconLink } from '../design/icon-button.tsx'
import { RequestsLink } from '../requests/requests-link.tsx'
import { paths, patterns } from '../routes.ts'
import { ConversationRow } from './conversation-row.tsx'
import css from './conversation-list.module.css'
import { useRovingFocus } from './use-roving-focus.ts'
import { useTabStop } from './use-tab-stop.ts'

interface ConversationListProps {
  readonly me: Person
  readonly conversations: readonly ConversationSummary[] | undefined
  /** How many wait for an answer. */
  readonly requests: number
  readonly onSearch: () => void
}

export function ConversationList({ me, conversations, requests, onSearch }: ConversationListProps) {
  const { t } = useTranslation()
  const list = useRef<HTMLUListElement>(null)
  useRovingFocus(list)
  const [, opened] = useRoute(patterns.anyConversation)
  const stop = useTabStop({ listRef: list, opened: opened?.id })
  const tabStop = conversations?.find(({ conversation }) => conversation === stop) ?? conversations?.[0]
  return (
    <div className={css['pane']}>
      <header className={css['bar']}>
        <div className={css['me']}>
          <Avatar id={me.account} name={me.handle} size="small" />
          <span className={css['handle']}>{me.handle}</span>
        </div>
        <IconButton label={t('list.search')} icon={<Search size={20} />} aria-keyshortcuts="Control+K" onClick={onSearch} />
        <IconLink to={paths.newGroup} label={t('list.newGroup')} icon={<Users size={20} />} />
        <IconLink to={paths.newDirect} label={t('list.newDirect')} icon={<MessageCirclePlus size={20} />} />
        <IconLink to={paths.settings} label={t('settings.title')} icon={<Settings size={20} />} />
      </header>
      <nav aria-label={t('list.label')} className={css['scroll']} aria-busy={conversations === undefined}>
        <RequestsLink count={requests} />
        {conversations?.length === 0 && <EmptyList />}
        <ul ref={list} className={css['list']}>
          {conversations?.map((summary) => (
            <ConversationRow
              key={summary.conversation}
              summary={summary}
              current={summary.conversation === opened?.id}
              tabStop={summary === tabStop}
            />
          ))}
        </ul>
      </nav>
    </div>
  )
}

function EmptyList() {
  const { t } = useTranslation()
  return (
    <div className={css['empty']}>
      <h2 className={css['emptyTitle']}>{t('list.empty.title')}</h2>
      <p>{t('list.empty.text')}</p>
      <Link to={paths.newDirect} className={css['begin']}>
        {t('list.newDirect')}
      </Link>
    </div>
  )
}
