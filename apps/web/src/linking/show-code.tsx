/** On the device that wants in: the code that another one scans or types, the digits to compare, and how it ended. */
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { LinkingState } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { QrPicture } from '../trust/qr-picture.tsx'
import css from './linking.module.css'
import { ShortDigits } from './short-digits.tsx'
import { useSecondsLeft } from './use-seconds-left.ts'

/** The person asked for it by pressing a button; there is no address that begins it. */
export function ShowCode({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { deviceName, keepStorage } = usePlatform()
  const state = useWatch('linking')
  const begin = useAction(() => messenger.beginLinking({ deviceName }))
  const { start } = begin
  useEffect(() => start(), [start])
  const leave = () => {
    void messenger.cancelLinking({}).catch(() => undefined)
    onBack()
  }
  useEffect(() => {
    // Keys come to live in this browser; what it says to this changes nothing.
    if (state.kind === 'finishing') void keepStorage().catch(() => undefined)
  }, [state.kind, keepStorage])
  // Idle: it did not begin, or another tab took over from the one that had begun it.
  const isOver = state.kind === 'over' || (state.kind === 'idle' && !begin.running)
  return (
    <div className={css['step']}>
      <h1 className={css['title']}>{t('linking.newTitle')}</h1>
      <Stage state={state} />
      <FailureLine failure={begin.failure} />
      {isOver && (
        <Button kind="main" wide busy={begin.running} onClick={start}>
          {t('linking.newCode')}
        </Button>
      )}
      <Button kind="quiet" wide onClick={leave}>
        {state.kind === 'comparing' ? t('confirm.cancel') : t('linking.back')}
      </Button>
    </div>
  )
}

function Stage({ state }: { readonly state: LinkingState }) {
  const { t } = useTranslation()
  switch (state.kind) {
    case 'idle':
    case 'done':
      return null
    case 'connecting':
    case 'finishing':
      return <p className={css['quiet']}>{t('linking.connecting')}</p>
    case 'showing':
      return <Code code={state.code} qr={state.qr} until={state.until} />
    case 'comparing':
      return (
        <>
          <p className={css['quiet']}>{t('linking.compareNew', { handle: 'handle' in state ? state.handle : '' })}</p>
          <ShortDigits digits={state.digits} />
        </>
      )
    case 'over':
      return (
        <p role="alert" className={css['over']}>
          {t(`linking.over.${state.why}`)}
        </p>
      )
  }
}

function Code({ code, qr, until }: { readonly code: string; readonly qr: string; readonly until: number }) {
  const { t } = useTranslation()
  const seconds = useSecondsLeft(until)
  return (
    <>
      <p className={css['quiet']}>{t('linking.newExplain')}</p>
      <QrPicture text={qr} label={t('linking.qr')} />
      <p className={css['code']} aria-label={t('linking.code')}>
        {code}
      </p>
      <p className={css['quiet']}>{t('linking.goodFor', { count: seconds })}</p>
    </>
  )
}
