/** Under a message that was refused for good: why, and what can be done with its words. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Copy, RotateCw, Trash2 } from 'lucide-react'
import type { MessageId, MessageState } from '@tacit/sdk'
import { failureText } from '../../messenger/failure.ts'
import { useMessenger } from '../../messenger/messenger-context.tsx'
import { useAction } from '../../messenger/use-action.ts'
import css from './failed-message.module.css'

interface FailedMessageProps {
  readonly message: MessageId
  readonly text: string
  readonly reason: Extract<MessageState, { kind: 'failed' }>['reason']
}

export function FailedMessage({ message, text, reason }: FailedMessageProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const retry = useAction(() => messenger.retry({ message }))
  const discard = useAction(() => messenger.discard({ message }))
  const [copied, setCopied] = useState(false)
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true))
  return (
    <div className={css['failed']}>
      <p className={css['why']}>
        {t('message.failed')} {reason === 'left' ? t('message.failedLeft') : t(failureText(reason), { seconds: 60 })}
      </p>
      <div className={css['ways']}>
        {reason !== 'left' && (
          <button type="button" className={css['way']} onClick={retry.start} aria-disabled={retry.running}>
            <RotateCw size={15} aria-hidden="true" />
            {t('message.retry')}
          </button>
        )}
        <button type="button" className={css['way']} onClick={copy}>
          <Copy size={15} aria-hidden="true" />
          {copied ? t('message.copied') : t('message.copy')}
        </button>
        <button type="button" className={css['way']} onClick={discard.start} aria-disabled={discard.running}>
          <Trash2 size={15} aria-hidden="true" />
          {t('message.discard')}
        </button>
      </div>
    </div>
  )
}
