/** What the main pane shows when no conversation is in it. */
import { useTranslation } from 'react-i18next'
import { MessageCirclePlus, Users } from 'lucide-react'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Logo } from '../design/logo.tsx'
import { usePlatform } from '../platform/platform-context.tsx'
import { useDocumentTitle } from '../platform/use-document-title.ts'
import { countUnread } from '../requests/requests.ts'
import { paths } from '../routes.ts'
import css from './placeholders.module.css'

export function NothingOpen({ conversations }: { readonly conversations: readonly ConversationSummary[] | undefined }) {
  const { t } = useTranslation()
  useDocumentTitle({ unread: countUnread(conversations) })
  return (
    <div className={css['nothing']}>
      <Logo size={56} />
      <h2 className={css['title']}>{conversations?.length === 0 ? t('home.first.title') : t('home.title')}</h2>
      <p className={css['text']}>{conversations?.length === 0 ? t('home.first.text') : t('home.text')}</p>
      <div className={css['ways']}>
        <Link to={paths.newDirect} className={css['way']}>
          <MessageCirclePlus size={18} aria-hidden="true" />
          {t('list.newDirect')}
        </Link>
        <Link to={paths.newGroup} className={css['way']}>
          <Users size={18} aria-hidden="true" />
          {t('list.newGroup')}
        </Link>
      </div>
    </div>
  )
}

export function ConversationMissing() {
  const { t } = useTranslation()
  useDocumentTitle({})
  return (
    <div className={css['nothing']}>
      <h1 className={css['title']}>{t('home.missing.title')}</h1>
      <p className={css['text']}>{t('home.missing.text')}</p>
      <Link to={paths.home}>{t('home.missing.back')}</Link>
    </div>
  )
}

/** A part of the app broke, or its code could not be fetched; what is beside it goes on. */
export function Broken() {
  const { t } = useTranslation()
  const { reload } = usePlatform()
  useDocumentTitle({})
  return (
    <div className={css['nothing']} role="alert">
      <h1 className={css['title']}>{t('trouble.broken.title')}</h1>
      <p className={css['text']}>{t('trouble.broken.text')}</p>
      <Button kind="main" onClick={reload}>
        {t('trouble.reload')}
      </Button>
      <Link to={paths.home}>{t('home.missing.back')}</Link>
    </div>
  )
}

export function Waiting() {
  return <div className={css['waiting']} aria-busy="true" />
}
