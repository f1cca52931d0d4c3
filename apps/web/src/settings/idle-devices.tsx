/** After how long without use a device is taken off the account; a choice for all own devices. */
import { useTranslation } from 'react-i18next'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useAction } from '../messenger/use-action.ts'
import { Choice } from './choice.tsx'

const CHOICES = ['14', '30', '45', '90'] as const
type Days = (typeof CHOICES)[number]

export function IdleDevices() {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const kept = useWatch('preferences')?.['idleDays']
  const choose = useAction((days: Days) => messenger.setPreference({ name: 'idleDays', value: days }))
  return (
    <>
      <Choice
        name="idle"
        legend={t('settings.idle')}
        values={CHOICES}
        chosen={CHOICES.find((days) => days === kept) ?? '45'}
        onChoose={choose.start}
        words={(days) => t('settings.idleDays', { days })}
      />
      <FailureLine failure={choose.failure} />
    </>
  )
}
