/** Comparing keys with somebody: a number to read aloud, a code to scan or to send, and the mark that it was the same. */
import { useCallback, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Camera, ShieldCheck } from 'lucide-react'
import type { AccountId, SafetyNumber as Shown } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { TextField } from '../design/text-field.tsx'
import { Scanner } from '../linking/scanner.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { useLoaded } from '../settings/use-loaded.ts'
import { Digits } from './digits.tsx'
import { QrPicture } from './qr-picture.tsx'
import css from './trust.module.css'

interface SafetyNumberProps {
  readonly account: AccountId
  readonly handle: string
  readonly onClose: () => void
}

export function SafetyNumber({ account, handle, onClose }: SafetyNumberProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const load = useCallback(() => messenger.safetyNumber({ account }), [messenger, account])
  const [loaded, again] = useLoaded(load)
  return (
    <Modal open title={t('safety.title', { handle })} onClose={onClose}>
      {loaded.kind === 'failed' && <FailureLine failure={loaded.failure} />}
      {loaded.kind === 'ready' && <Comparing shown={loaded.value} onChange={again} />}
    </Modal>
  )
}

function Comparing({ shown, onChange }: { readonly shown: Shown; readonly onChange: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { person, digits, code, compared } = shown
  const { account, handle } = person
  const mark = useAction(async (same: boolean) => {
    await messenger.setCompared({ account, same })
    onChange()
  })
  return (
    <>
      <p className={css['text']}>{t('safety.explain', { handle })}</p>
      <Digits groups={digits} label={t('safety.number')} />
      <QrPicture text={code} label={t('safety.qr', { handle })} />
      <ScanTheirs shown={shown} onChange={onChange} />
      <CodeField shown={shown} onChange={onChange} />
      <FailureLine failure={mark.failure} />
      {compared ? (
        <div className={css['verdict']}>
          <p className={css['same']}>
            <ShieldCheck size={18} aria-hidden="true" /> {t('safety.compared')}
          </p>
          <Button busy={mark.running} onClick={() => mark.start(false)}>
            {t('safety.forget')}
          </Button>
        </div>
      ) : (
        <Button kind="main" busy={mark.running} onClick={() => mark.start(true)}>
          {t('safety.same')}
        </Button>
      )}
    </>
  )
}

/** For those who are together: one camera sees the other's screen. */
function ScanTheirs({ shown, onChange }: { readonly shown: Shown; readonly onChange: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { account, handle } = shown.person
  const [scanning, setScanning] = useState(false)
  const [verdict, setVerdict] = useState<'different' | 'not_a_code'>()
  const compare = useAction(async (code: string) => {
    const found = await messenger.compareSafetyCode({ account, code })
    setVerdict(found === 'same' ? undefined : found)
    if (found === 'same') onChange()
  })
  const scanned = (code: string) => {
    setScanning(false)
    compare.start(code)
  }
  return (
    <>
      {scanning && <Scanner label={t('safety.camera', { handle })} onCode={scanned} />}
      <Button
        icon={<Camera size={18} aria-hidden="true" />}
        busy={compare.running}
        onClick={() => {
          setVerdict(undefined)
          setScanning((now) => !now)
        }}
      >
        {scanning ? t('safety.stopScan') : t('safety.scan', { handle })}
      </Button>
      {verdict !== undefined && (
        <p role="alert" className={css['wrong']}>
          {t(`safety.${verdict}`, { handle })}
        </p>
      )}
      <FailureLine failure={compare.failure} />
    </>
  )
}

/** For those who are far apart and have another way to send a text. */
function CodeField({ shown, onChange }: { readonly shown: Shown; readonly onChange: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { account, handle } = shown.person
  const [code, setCode] = useState('')
  const [verdict, setVerdict] = useState<'different' | 'not_a_code'>()
  const [copied, setCopied] = useState(false)
  const compare = useAction(async () => {
    const found = await messenger.compareSafetyCode({ account, code })
    setVerdict(found === 'same' ? undefined : found)
    if (found !== 'same') return
    setCode('')
    onChange()
  })
  const copy = useAction(async () => {
    await navigator.clipboard.writeText(shown.code)
    setCopied(true)
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() !== '') compare.start()
  }
  return (
    <details className={css['far']}>
      <summary>{t('safety.far')}</summary>
      <form className={css['code']} onSubmit={submit}>
        <p className={css['text']}>{t('safety.farExplain', { handle })}</p>
        <Button busy={copy.running} onClick={() => copy.start()}>
          {copied ? t('safety.copied') : t('safety.copy')}
        </Button>
        <TextField
          label={t('safety.theirs', { handle })}
          value={code}
          onChange={(event) => {
            setCode(event.target.value)
            setVerdict(undefined)
          }}
          autoComplete="off"
          spellCheck={false}
        />
        {verdict !== undefined && (
          <p role="alert" className={css['wrong']}>
            {t(`safety.${verdict}`, { handle })}
          </p>
        )}
        <FailureLine failure={compare.failure ?? copy.failure} />
        <Button type="submit" busy={compare.running} disabled={code.trim() === ''}>
          {t('safety.compare')}
        </Button>
      </form>
    </details>
  )
}
