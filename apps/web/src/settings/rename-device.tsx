/** Another name for a device. */
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { DeviceInfo } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Modal } from '../design/modal.tsx'
import { TextField } from '../design/text-field.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './settings.module.css'

interface RenameDeviceProps {
  readonly device: DeviceInfo
  readonly onClose: (changed: boolean) => void
}

export function RenameDevice({ device, onClose }: RenameDeviceProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [name, setName] = useState(device.name)
  const rename = useAction(async () => {
    await messenger.nameDevice({ device: device.device, name })
    onClose(true)
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() !== '') rename.start()
  }
  return (
    <Modal open title={t('settings.renameTitle')} onClose={() => onClose(false)}>
      <form className={css['form']} onSubmit={submit}>
        <TextField
          label={t('settings.deviceName')}
          hint={t('settings.deviceNameHint')}
          value={name}
          onChange={(event) => setName(event.target.value)}
          autoComplete="off"
          maxLength={64}
        />
        <FailureLine failure={rename.failure} />
        <Button kind="main" type="submit" wide busy={rename.running} disabled={name.trim() === ''}>
          {t('settings.rename')}
        </Button>
      </form>
    </Modal>
  )
}
