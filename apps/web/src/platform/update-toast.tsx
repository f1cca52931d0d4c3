/** Offers a newer version. It waits for the person; it never reloads by itself. */
import { useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../design/button.tsx'
import { usePlatform } from './platform-context.tsx'
import css from './update-toast.module.css'

export function UpdateToast() {
  const { t } = useTranslation()
  const { offline } = usePlatform()
  const ready = useSyncExternalStore(offline.subscribe, offline.get)
  const [later, setLater] = useState(false)
  return (
    <div aria-live="polite" className={css['place']}>
      {ready && !later && (
        <div className={css['toast']}>
          <p className={css['text']}>{t('update.ready')}</p>
          <Button kind="quiet" onClick={() => setLater(true)}>
            {t('update.later')}
          </Button>
          <Button kind="main" onClick={() => offline.apply()}>
            {t('update.reload')}
          </Button>
        </div>
      )}
    </div>
  )
}
