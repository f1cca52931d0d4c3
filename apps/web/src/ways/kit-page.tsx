/** Making a recovery kit: one page to print, shown once. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Printer } from 'lucide-react'
import { useLocation } from 'wouter'
import type { RecoveryKit } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import { useMoments } from '../time/use-moments.ts'
import { QrPicture } from '../trust/qr-picture.tsx'
import css from './kit-page.module.css'
import { ProvedFirst } from './proved-first.tsx'

export function KitPage() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [kit, setKit] = useState<RecoveryKit>()
  const [asked, setAsked] = useState(false)
  const make = useAction(async () => setKit(await messenger.makeRecoveryKit()))
  if (kit !== undefined) return <Sheet kit={kit} />
  return (
    <Page title={t('kit.title')}>
      <div className={css['explain']}>
        <p>{t('kit.explain')}</p>
        <p>{t('kit.replaces')}</p>
        {!asked && (
          <Button kind="main" onClick={() => setAsked(true)}>
            {t('kit.make')}
          </Button>
        )}
        {asked && (
          <ProvedFirst>
            <Button kind="main" busy={make.running} onClick={make.start}>
              {t('kit.makeNow')}
            </Button>
          </ProvedFirst>
        )}
        <FailureLine failure={make.failure} />
      </div>
    </Page>
  )
}

function Sheet({ kit }: { readonly kit: RecoveryKit }) {
  const { t } = useTranslation()
  const moments = useMoments()
  const [, navigate] = useLocation()
  return (
    <Page title={t('kit.title')}>
      <section className={css['sheet']} aria-label={t('kit.sheet')}>
        <h2>{t('kit.for', { handle: kit.handle })}</h2>
        <p className={css['where']}>{kit.server}</p>
        <p>{t('kit.made', { date: moments.full(kit.madeAt) })}</p>
        <ol className={css['words']} lang="en" aria-label={t('kit.words')}>
          {kit.words.map((word, at) => (
            // The place is part of what a word means here, and one word may come twice.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={at}>{word}</li>
          ))}
        </ol>
        <QrPicture text={kit.code} label={t('kit.qr')} />
        <p>{t('kit.use')}</p>
      </section>
      <p className={css['once']}>{t('kit.once')}</p>
      <div className={css['actions']}>
        <Button kind="main" icon={<Printer size={18} aria-hidden="true" />} onClick={() => print()}>
          {t('kit.print')}
        </Button>
        <Button onClick={() => navigate(paths.settings)}>{t('kit.done')}</Button>
      </div>
    </Page>
  )
}
