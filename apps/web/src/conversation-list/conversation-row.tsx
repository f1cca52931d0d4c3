/** One conversation in the list: who, what was said last and when, and how much of it is unread. */
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { MessageStateIcon } from '../conversation/message-state-icon.tsx'
import { useDraft } from '../conversation/composer/drafts.ts'
import { Avatar } from '../design/avatar.tsx'
import { classes } from '../design/classes.ts'
import { paths } from '../routes.ts'
import { useMoments, useToday } from '../time/use-moments.ts'
import css from './conversation-row.module.css'
import { useTypingText } from './use-typing-text.ts'

interface ConversationRowProps {
  readonly summary: ConversationSummary
  readonly current: boolean
  readonly tabStop: boolean
}

export function ConversationRow({ summary, current, tabStop }: ConversationRowProps) {
  const { t } = useTranslation()
  const moments = useMoments()
  const today = useToday()
  const { conversation, kind, title, unread, last } = summary
  const online = summary.peerOnline === true
  return (
    <li className={css['item']}>
      <Link
        to={paths.conversation(conversation)}
        className={classes(css['row'], current && css['current'])}
        aria-current={current ? 'page' : undefined}
        tabIndex={tabStop ? 0 : -1}
      >
        <Avatar id={summary.peer?.account ?? conversation} name={title} shape={kind === 'group' ? 'group' : 'person'} online={online} />
        <span className={css['text']}>
          <span className={css['line']}>
            <bdi className={classes(css['title'], unread > 0 && css['strong'])}>{title}</bdi>
            {online && <span className="sr-only">{t('list.online')}</span>}
            {last !== undefined && (
              <time className={classes(css['time'], unread > 0 && css['fresh'])} dateTime={new Date(last.time).toISOString()}>
                {moments.brief(last.time, today)}
              </time>
            )}
          </span>
          <span className={css['line']}>
            <Preview summary={summary} open={current} />
            {unread > 0 && (
              <span className={css['badge']}>
                <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
                <span className="sr-only">{t('list.unread', { count: unread })}</span>
              </span>
            )}
          </span>
        </span>
      </Link>
    </li>
  )
}

function Preview({ summary, open }: { readonly summary: ConversationSummary; readonly open: boolean }) {
  const { t } = useTranslation()
  const typed = useDraft(summary.conversation)
  const draft = typed === '' ? (summary.draft ?? '') : typed
  const typing = useTypingText({ people: summary.typing, named: summary.kind === 'group' })
  const { last } = summary
  if (typing !== undefined) return <span className={classes(css['preview'], css['typing'])}>{typing}</span>
  if (draft !== '' && !open) {
    return (
      <span className={css['preview']}>
        <span className={css['draft']}>{t('list.draft')}</span> <bdi>{draft}</bdi>
      </span>
    )
  }
  if (last === undefined) return <span className={css['preview']}>{t('list.nothingYet')}</span>
  const named = summary.kind === 'group' && !last.mine && last.sender !== undefined
  return (
    <span className={css['preview']}>
      {last.mine && last.state !== undefined && <MessageStateIcon state={last.state} size={15} />}
      {last.mine && last.state === undefined && `${t('list.you')} `}
      {named && `${last.sender.nickname ?? last.sender.handle}: `}
      <bdi>{last.preview}</bdi>
    </span>
  )
}
