/** Why the person stands at the door again, when it was not their first visit. */
import { useTranslation } from 'react-i18next'
import type { SessionState } from '@tacit/sdk'
import { classes } from '../design/classes.ts'
import css from './door-notice.module.css'

export function DoorNotice({ session }: { readonly session: SessionState }) {
  const { t } = useTranslation()
  if (session.kind === 'session_ended')
    return <p className={css['notice']}>{t('door.notice.sessionEnded', { handle: session.me.handle })}</p>
  if (session.kind !== 'signed_out' || session.why === 'fresh') return undefined
  if (session.why === 'signed_out') {
    return <output className={css['notice']}>{t('door.notice.signedOut')}</output>
  }
  return (
    <section role="alert" className={classes(css['notice'], css['lost'])}>
      <h2 className={css['title']}>{t('door.notice.storageLost.title')}</h2>
      <p>{t('door.notice.storageLost.text')}</p>
    </section>
  )
}
