/** The installations that hold this account's keys: which they are, when they were used, their names, and letting one in or out. */
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MonitorSmartphone } from 'lucide-react'
import type { DeviceInfo } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { LinkDevice } from '../linking/link-device.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { usePlatform } from '../platform/platform-context.tsx'
import { useMoments } from '../time/use-moments.ts'
import { IdleDevices } from './idle-devices.tsx'
import { RemoveDevice } from './remove-device.tsx'
import { RenameDevice } from './rename-device.tsx'
import { Section } from './section.tsx'
import css from './settings.module.css'
import { useLoaded } from './use-loaded.ts'

type Asked = { readonly kind: 'link' } | { readonly kind: 'rename' | 'remove'; readonly device: DeviceInfo }

export function DevicesSection() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [devices, again] = useLoaded(useCallback(() => messenger.devices(), [messenger]))
  const [asked, setAsked] = useState<Asked>()
  const close = (changed: boolean) => {
    setAsked(undefined)
    if (changed) again()
  }
  return (
    <Section title={t('settings.devices')} hint={t('settings.devicesHint')}>
      {devices.kind === 'loading' && <p className={css['entry']}>{t('settings.loading')}</p>}
      <FailureLine failure={devices.kind === 'failed' ? devices.failure : undefined} />
      {devices.kind === 'ready' && (
        <ul>
          {devices.value.map((device) => (
            <DeviceEntry
              key={device.device}
              device={device}
              onRename={() => setAsked({ kind: 'rename', device })}
              onRemove={() => setAsked({ kind: 'remove', device })}
            />
          ))}
        </ul>
      )}
      <div className={css['entry']}>
        <Button wide icon={<MonitorSmartphone size={18} aria-hidden="true" />} onClick={() => setAsked({ kind: 'link' })}>
          {t('settings.linkDevice')}
        </Button>
      </div>
      <IdleDevices />
      {asked?.kind === 'link' && <LinkDevice onClose={close} />}
      {asked?.kind === 'rename' && <RenameDevice device={asked.device} onClose={close} />}
      {asked?.kind === 'remove' && <RemoveDevice device={asked.device} onClose={close} />}
    </Section>
  )
}

interface DeviceEntryProps {
  readonly device: DeviceInfo
  readonly onRename: () => void
  readonly onRemove: () => void
}

function DeviceEntry({ device: { device, name, current, lastUsedAt, notAfter }, onRename, onRemove }: DeviceEntryProps) {
  const { t } = useTranslation()
  const moments = useMoments()
  const { now } = usePlatform()
  const isNew = useWatch('newDevices')?.includes(device) ?? false
  const called = name === '' ? t('settings.unnamed') : name
  const used = lastUsedAt === undefined ? t('settings.signedOutThere') : t('settings.deviceUsed', { ago: moments.ago(lastUsedAt, now()) })
  return (
    <li className={css['entry']}>
      <div className={css['words']}>
        <span className={css['name']}>{called}</span>
        <span className={css['quiet']}>{current ? t('settings.validUntil', { date: moments.day(notAfter, now()) }) : used}</span>
      </div>
      {current && <span className={css['tag']}>{t('settings.thisDevice')}</span>}
      {isNew && <span className={css['tag']}>{t('settings.newDevice')}</span>}
      <Button kind="quiet" onClick={onRename} aria-label={t('settings.renameLabel', { name: called })}>
        {t('settings.rename')}
      </Button>
      {!current && (
        <Button kind="danger" onClick={onRemove} aria-label={t('settings.removeLabel', { name: called })}>
          {t('settings.remove')}
        </Button>
      )}
    </li>
  )
}
