/** On a device that is signed in: proves who is there, takes the code of the new device, compares the digits, lets it in. */
import { useCallback, useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Camera, Keyboard } from 'lucide-react'
import type { LinkingState } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './linking.module.css'
import { Prove } from './prove.tsx'
import { Scanner } from './scanner.tsx'
import { ShortDigits } from './short-digits.tsx'

interface LinkDeviceProps {
  /** `linked`: there is a new device in the list. */
  readonly onClose: (linked: boolean) => void
}

export function LinkDevice({ onClose }: LinkDeviceProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const state = useWatch('linking')
  const [proved, setProved] = useState(false)
  useEffect(() => {
    // What an earlier link left on the screen is not about this one.
    void messenger.cancelLinking({}).catch(() => undefined)
  }, [messenger])
  const close = () => {
    if (state.kind !== 'done') void messenger.cancelLinking({}).catch(() => undefined)
    onClose(state.kind === 'done')
  }
  const onProved = useCallback(() => setProved(true), [])
  return (
    <Modal open title={t('linking.title')} onClose={close}>
      {proved ? (
        <Stage state={state} askAgain={() => setProved(false)} onClose={close} />
      ) : (
        <Prove text={t('linking.proveText')} onProved={onProved} />
      )}
    </Modal>
  )
}

interface StageProps {
  readonly state: LinkingState
  /** The proof has become too old. */
  readonly askAgain: () => void
  readonly onClose: () => void
}

function Stage({ state, askAgain, onClose }: StageProps) {
  const { t } = useTranslation()
  switch (state.kind) {
    case 'connecting':
    case 'finishing':
      return <p className={css['quiet']}>{t(state.kind === 'finishing' ? 'linking.finishing' : 'linking.connecting')}</p>
    case 'comparing':
      return <Compare digits={state.digits} askAgain={askAgain} />
    case 'done':
      return (
        <div className={css['step']}>
          <output className={css['good']}>{t('linking.done')}</output>
          <p className={css['quiet']}>{t('linking.doneHint')}</p>
          <Button kind="main" wide onClick={onClose}>
            {t('linking.close')}
          </Button>
        </div>
      )
    case 'idle':
    case 'showing':
      return <BringCode />
    case 'over':
      return (
        <>
          <p role="alert" className={css['over']}>
            {t(`linking.over.${state.why}`)}
          </p>
          <BringCode />
        </>
      )
  }
}

function BringCode() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [code, setCode] = useState('')
  const [scanning, setScanning] = useState(false)
  const claim = useAction((given: string) => messenger.claimLink({ code: given }))
  const scanned = (given: string) => {
    setScanning(false)
    claim.start(given)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim() !== '') claim.start(code)
  }
  return (
    <form className={css['step']} onSubmit={submit}>
      <p className={css['quiet']}>{t('linking.explain', { server: location.host })}</p>
      {scanning && <Scanner label={t('linking.camera')} onCode={scanned} />}
      <Button
        wide
        icon={scanning ? <Keyboard size={18} aria-hidden="true" /> : <Camera size={18} aria-hidden="true" />}
        onClick={() => setScanning((now) => !now)}
      >
        {scanning ? t('linking.stopScan') : t('linking.scan')}
      </Button>
      {!scanning && (
        <>
          <TextField
            label={t('linking.typed')}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            placeholder="XXXX-XXXX"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={200}
          />
          <Button kind="main" type="submit" wide busy={claim.running} disabled={code.trim() === ''}>
            {t('linking.continue')}
          </Button>
        </>
      )}
      <FailureLine failure={claim.failure} />
    </form>
  )
}

function Compare({ digits, askAgain }: { readonly digits: string; readonly askAgain: () => void }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const approve = useAction(() => messenger.approveLink())
  const cancel = useAction(() => messenger.cancelLinking({ different: true }))
  const stale = approve.failure?.name === 'proof_needed'
  useEffect(() => {
    if (stale) askAgain()
  }, [stale, askAgain])
  return (
    <div className={css['step']}>
      <p className={css['quiet']}>{t('linking.compareOld')}</p>
      <ShortDigits digits={digits} />
      <FailureLine failure={approve.failure} />
      <Button kind="main" wide busy={approve.running} onClick={approve.start}>
        {t('linking.same')}
      </Button>
      <Button kind="danger" wide busy={cancel.running} onClick={cancel.start}>
        {t('linking.different')}
      </Button>
    </div>
  )
}
