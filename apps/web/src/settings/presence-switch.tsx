/** Whether others may see that one is online. It is mutual: who hides sees nobody. */
import { Switch } from '@base-ui/react/switch'
import { useTranslation } from 'react-i18next'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import css from './presence-switch.module.css'
import { Section } from './section.tsx'

export function PresenceSwitch({ on }: { readonly on: boolean }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const change = useAction((next: boolean) => messenger.setPresenceSharing({ on: next }))
  return (
    <Section title={t('settings.privacy')}>
      <div className={css['line']}>
        <div>
          <p id="presence-label" className={css['name']}>
            {t('settings.presence')}
          </p>
          <p id="presence-hint" className={css['hint']}>
            {t('settings.presenceHint')}
          </p>
        </div>
        <Switch.Root
          checked={on}
          onCheckedChange={(next) => change.start(next)}
          aria-labelledby="presence-label"
          aria-describedby="presence-hint"
          aria-busy={change.running}
          className={css['switch']}
        >
          <Switch.Thumb className={css['thumb']} />
        </Switch.Root>
      </div>
      <FailureLine failure={change.failure} />
    </Section>
  )
}
