/** A conversation that stopped because its rules were broken: why, where it goes on, and the way to begin anew. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { RotateCcw } from 'lucide-react'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { useWatch } from '../messenger/messenger-context.tsx'
import { paths } from '../routes.ts'
import { StartAnew } from './start-anew.tsx'
import css from './stuck-line.module.css'

export function StuckLine({ summary }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const [asking, setAsking] = useState(false)
  const { conversation, kind, continuedIn } = summary
  const next = useWatch('conversations')?.find((one) => one.conversation === continuedIn)
  return (
    <div className={css['line']}>
      <output>{t('standing.stuck')}</output>
      {next && (
        <Link to={paths.conversation(next.conversation)} className={css['next']}>
          {t('anew.goesOn')}
        </Link>
      )}
      {kind === 'group' && (
        <Button kind={next ? 'quiet' : 'main'} icon={<RotateCcw size={18} aria-hidden="true" />} onClick={() => setAsking(true)}>
          {t('anew.start')}
        </Button>
      )}
      {asking && <StartAnew conversation={conversation} onClose={() => setAsking(false)} />}
    </div>
  )
}
