/** One line across the top whenever the device is not up to date with the server, in words that say what still works. */
import { useTranslation } from 'react-i18next'
import { CloudOff, LogIn, RefreshCw } from 'lucide-react'
import { Link } from 'wouter'
import type { ConnectionState } from '@tacit/sdk'
import { classes } from '../design/classes.ts'
import { useWatch } from '../messenger/messenger-context.tsx'
import { paths } from '../routes.ts'
import css from './connection-strip.module.css'
import { useLasting } from './use-lasting.ts'

/** How long a state has to last before it is worth a line: most reconnects are over before anybody could read it. */
const lastsMs: Record<ConnectionState['kind'], number> = { offline: 700, waiting: 700, connecting: 1500, catching_up: 1500, online: 0 }

export function ConnectionStrip({ sessionEnded }: { readonly sessionEnded: boolean }) {
  const { t } = useTranslation()
  const { kind, unsent } = useWatch('connection')
  const lasting = useLasting<ConnectionState['kind']>({ value: kind, after: lastsMs[kind], first: 'online' })
  if (sessionEnded) {
    return (
      <output className={css['place']}>
        <span className={classes(css['strip'], css['away'])}>
          <LogIn size={16} aria-hidden="true" />
          <span>{t('connection.sessionEnded')}</span>
          <Link to={paths.signIn} className={css['link']}>
            {t('connection.signInAgain')}
          </Link>
        </span>
      </output>
    )
  }
  const away = lasting === 'offline' || lasting === 'waiting'
  const text =
    away && unsent > 0 ? t(`connection.unsent.${lasting}`, { count: unsent }) : lasting !== 'online' && t(`connection.${lasting}`)
  return (
    <output className={css['place']}>
      {lasting !== 'online' && (
        <span className={classes(css['strip'], away ? css['away'] : css['busy'])}>
          {away ? <CloudOff size={16} aria-hidden="true" /> : <RefreshCw size={14} aria-hidden="true" />}
          <span>{text}</span>
        </span>
      )}
    </output>
  )
}
