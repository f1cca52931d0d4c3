/** Who one is talking to, whether they are there, and the way to the details. */
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { ArrowLeft, Info, ShieldCheck } from 'lucide-react'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { IconLink } from '../design/icon-button.tsx'
import { isTouch } from '../platform/touch.ts'
import { paths } from '../routes.ts'
import css from './conversation-header.module.css'

interface ConversationHeaderProps {
  readonly summary: ConversationSummary
  readonly about: boolean
}

export function ConversationHeader({ summary, about }: ConversationHeaderProps) {
  const { t } = useTranslation()
  const { conversation, kind, title, peer, peerOnline, peerCompared, people, request } = summary
  const heading = useRef<HTMLHeadingElement>(null)
  // Elsewhere the composer takes it.
  const composes = request === undefined && !isTouch()
  useEffect(() => {
    if (!composes) heading.current?.focus()
  }, [composes])
  const group = kind === 'group'
  const online = peerOnline === true
  const detailsPath = about ? paths.conversation(conversation) : paths.about(conversation)
  const subtitle = group ? t('conversation.people', { count: people }) : online ? t('conversation.online') : undefined
  return (
    <header className={css['bar']}>
      <IconLink to={paths.home} label={t('conversation.back')} icon={<ArrowLeft size={22} className="mirrors" />} className={css['back']} />
      <Link to={detailsPath} className={css['who']} replace={about}>
        <Avatar id={peer?.account ?? conversation} name={title} shape={group ? 'group' : 'person'} online={online} />
        <span className={css['names']}>
          <h1 ref={heading} tabIndex={-1} className={css['title']}>
            <bdi>{title}</bdi>
            {peerCompared === true && <Compared label={t('safety.mark')} />}
          </h1>
          {subtitle !== undefined && <span className={css['subtitle']}>{subtitle}</span>}
        </span>
      </Link>
      <IconLink to={detailsPath} label={t('conversation.details')} icon={<Info size={21} />} current={about} />
    </header>
  )
}

function Compared({ label }: { readonly label: string }) {
  return (
    <span className={css['compared']} title={label}>
      <ShieldCheck size={16} aria-hidden="true" />
      <span className="sr-only">{label}</span>
    </span>
  )
}
