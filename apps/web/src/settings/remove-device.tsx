/** Takes a device out of the account, after asking who asks. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DeviceInfo } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { Prove } from '../linking/prove.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './settings.module.css'

interface RemoveDeviceProps {
  readonly device: DeviceInfo
  readonly onClose: (changed: boolean) => void
}

export function RemoveDevice({ device, onClose }: RemoveDeviceProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [proving, setProving] = useState(false)
  const remove = useAction(async () => {
    try {
      await messenger.removeDevice({ device: device.device })
      onClose(true)
    } catch (error) {
      if (!(error instanceof Error && 'failure' in error && error.failure === 'proof_needed')) throw error
      setProving(true)
    }
  })
  const proved = () => {
    setProving(false)
    remove.start()
  }
  const name = device.name === '' ? t('settings.unnamed') : device.name
  return (
    <Modal open title={t('settings.removeTitle', { name })} onClose={() => onClose(false)}>
      {proving ? (
        <Prove text={t('settings.removeProve', { name })} onProved={proved} />
      ) : (
        <div className={css['form']}>
          <p className={css['quiet']}>{t('settings.removeText')}</p>
          <FailureLine failure={remove.failure} />
          <Button kind="danger" wide busy={remove.running} onClick={remove.start}>
            {t('settings.removeAction')}
          </Button>
        </div>
      )}
    </Modal>
  )
}
