/** Why nothing can be written, or why it takes a moment. */
import { useTranslation } from 'react-i18next'
import type { ConversationStanding } from '@tacit/sdk'
import css from './standing-line.module.css'

export function StandingLine({ standing }: { readonly standing: Exclude<ConversationStanding, 'active' | 'stuck'> }) {
  const { t } = useTranslation()
  return <output className={css['line']}>{t(`standing.${standing}`)}</output>
}
