/** A device joined the account: said on every other one until somebody there says that they know. */
import { useTranslation } from 'react-i18next'
import { ShieldAlert } from 'lucide-react'
import { Link } from 'wouter'
import { classes } from '../design/classes.ts'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import css from './connection-strip.module.css'

export function NewDeviceStrip() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const count = useWatch('newDevices')?.length ?? 0
  const know = useAction(() => messenger.acknowledgeDevices())
  return (
    <div role="alert" className={css['place']}>
      {count > 0 && (
        <span className={classes(css['strip'], css['away'])}>
          <ShieldAlert size={16} aria-hidden="true" />
          <span>{t('shell.newDevices', { count })}</span>
          <Link to={paths.settings} className={css['link']}>
            {t('shell.seeDevices')}
          </Link>
          <button type="button" className={css['press']} onClick={() => know.start()}>
            {t('shell.knowDevices')}
          </button>
        </span>
      )}
    </div>
  )
}
