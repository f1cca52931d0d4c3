/** How far a message has come, as a picture with its words. */
import { useTranslation } from 'react-i18next'
import { Check, CheckCheck, CircleAlert, Clock } from 'lucide-react'
import type { MessageState } from '@tacit/sdk'
import { classes } from '../design/classes.ts'
import css from './message-state-icon.module.css'

const icons = { sending: Clock, accepted: Check, delivered: CheckCheck, read: CheckCheck, failed: CircleAlert } as const

export function MessageStateIcon({ state, size = 16 }: { readonly state: MessageState; readonly size?: number }) {
  const { t } = useTranslation()
  const Icon = icons[state.kind]
  const words = t(`message.state.${state.kind}`)
  return (
    <>
      <Icon
        size={size}
        strokeWidth={state.kind === 'read' ? 2.75 : 2}
        aria-hidden="true"
        className={classes(css['icon'], css[state.kind])}
      />
      <span className="sr-only">{words}</span>
    </>
  )
}
