/** Where messages are written. Enter sends, Shift+Enter makes a line; on touch keyboards Enter always makes a line. */
import { useEffect, useRef, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { SendHorizontal } from 'lucide-react'
import type { ConversationId } from '@tacit/sdk'
import { IconButton } from '../../design/icon-button.tsx'
import { FailureLine } from '../../messenger/failure-line.tsx'
import { isTouch } from '../../platform/touch.ts'
import css from './composer.module.css'
import { setDraft, useDraft, useKeptDraft } from './drafts.ts'
import { useSending } from './use-sending.ts'
import { useTypingSignal } from './use-typing-signal.ts'

interface ComposerProps {
  readonly conversation: ConversationId
  readonly title: string
  /** What the messenger has of a draft. */
  readonly keptDraft: string | undefined
}

export function Composer({ conversation, title, keptDraft }: ComposerProps) {
  const { t } = useTranslation()
  const box = useRef<HTMLTextAreaElement>(null)
  const draft = useDraft(conversation)
  useKeptDraft(conversation, keptDraft)
  const typing = useTypingSignal(conversation)
  const sending = useSending(conversation)
  const text = draft.trim()

  useEffect(() => {
    if (!isTouch()) box.current?.focus()
  }, [conversation])

  const send = () => {
    if (text === '') return
    typing.stop()
    sending.send(text)
    box.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || isTouch()) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className={css['composer']}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <FailureLine failure={sending.failure} />
      <div className={css['line']}>
        <textarea
          ref={box}
          className={css['box']}
          rows={1}
          dir="auto"
          value={draft}
          placeholder={t('composer.placeholder')}
          aria-label={t('composer.label', { title })}
          enterKeyHint={isTouch() ? 'enter' : 'send'}
          onKeyDown={onKeyDown}
          onBlur={typing.stop}
          onChange={(event) => {
            setDraft({ conversation, text: event.target.value })
            sending.reset()
            typing.typed(event.target.value)
          }}
        />
        <IconButton
          type="submit"
          kind="main"
          label={t('composer.send')}
          icon={<SendHorizontal size={20} className="mirrors" />}
          disabled={text === ''}
        />
      </div>
    </form>
  )
}
