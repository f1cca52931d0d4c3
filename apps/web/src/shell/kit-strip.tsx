/** Asks once, after the first conversation, whether to make a recovery kit. Whatever is answered, it is not asked again on any device. */
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useRoute } from 'wouter'
import { classes } from '../design/classes.ts'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { paths } from '../routes.ts'
import { useLoaded } from '../settings/use-loaded.ts'
import css from './connection-strip.module.css'

const ASKED = 'kit_asked'

export function KitStrip() {
  const preferences = useWatch('preferences')
  const conversations = useWatch('conversations')
  // One thing at a time, and a new device comes first.
  const isNews = (useWatch('newDevices')?.length ?? 0) > 0
  const [atKit] = useRoute(paths.kit)
  const hasTalked = conversations?.some(({ last }) => last !== undefined) ?? false
  if (preferences === undefined || preferences[ASKED] !== undefined || !hasTalked || atKit || isNews) return undefined
  return <Question />
}

function Question() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [ways] = useLoaded(useCallback(() => messenger.unlockMethods(), [messenger]))
  if (ways.kind !== 'ready' || ways.value.some(({ kind }) => kind === 'kit')) return undefined
  const answered = () => void messenger.setPreference({ name: ASKED, value: 'yes' }).catch(() => undefined)
  return (
    <section className={classes(css['place'], css['strip'], css['busy'])} aria-label={t('kit.title')}>
      <span>{t('kit.ask')}</span>
      <Link to={paths.kit} className={css['link']} onClick={answered}>
        {t('kit.make')}
      </Link>
      <button type="button" className={css['press']} onClick={answered}>
        {t('kit.notNow')}
      </button>
    </section>
  )
}
