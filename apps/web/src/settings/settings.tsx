/** What the person can choose, what belongs to them, and the way out. */
import { useTranslation } from 'react-i18next'
import { ChevronRight } from 'lucide-react'
import { Link } from 'wouter'
import { Avatar } from '../design/avatar.tsx'
import { Page } from '../design/page.tsx'
import type { InsideSession } from '../shell/shell.tsx'
import { LockSection } from '../lock/lock-section.tsx'
import { WaysSection } from '../ways/ways-section.tsx'
import { AppearanceSection } from './appearance-section.tsx'
import { ContactsSection } from './contacts-section.tsx'
import { DevicesSection } from './devices-section.tsx'
import { PresenceSwitch } from './presence-switch.tsx'
import { paths } from '../routes.ts'
import { Section } from './section.tsx'
import { SessionsSection } from './sessions-section.tsx'
import css from './settings.module.css'
import { ShortcutsSection } from './shortcuts-section.tsx'
import { SignOutSection } from './sign-out-section.tsx'

export function Settings({ session }: { readonly session: InsideSession }) {
  const { t } = useTranslation()
  const { me } = session
  return (
    <Page title={t('settings.title')}>
      <div className={css['me']}>
        <Avatar id={me.account} name={me.handle} size="large" />
        <div>
          <p className={css['handle']}>{me.handle}</p>
          <p className={css['quiet']}>{t('settings.handleHint')}</p>
        </div>
      </div>
      {session.kind === 'signed_in' && <PresenceSwitch on={session.sharesPresence} />}
      <AppearanceSection />
      {session.kind === 'signed_in' && (
        <>
          <WaysSection />
          <ContactsSection />
          <DevicesSection />
          <SessionsSection />
        </>
      )}
      {session.kind === 'signed_in' && (
        <Section title={t('history.title')}>
          <Way to={paths.history} name={t('history.archive')} hint={t('history.hint')} />
        </Section>
      )}
      {session.kind === 'signed_in' && (
        <Section title={t('settings.trust')}>
          <Way to={paths.encryption} name={t('encryption.title')} hint={t('encryption.hint')} />
          <Way to={paths.events} name={t('events.title')} hint={t('events.hint')} />
          <Way to={paths.held} name={t('settings.held')} hint={t('settings.heldHint')} />
        </Section>
      )}
      <LockSection />
      <ShortcutsSection />
      <SignOutSection />
    </Page>
  )
}

function Way({ to, name, hint }: { readonly to: string; readonly name: string; readonly hint: string }) {
  return (
    <Link to={to} className={css['way']}>
      <span className={css['words']}>
        <span className={css['name']}>{name}</span>
        <span className={css['quiet']}>{hint}</span>
      </span>
      <ChevronRight size={20} aria-hidden="true" className="mirrors" />
    </Link>
  )
}
