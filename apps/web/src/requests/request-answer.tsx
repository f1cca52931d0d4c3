/** In the place of the composer, while a conversation waits for an answer: take it up, delete it, or block who asks. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { paths } from '../routes.ts'
import css from './requests.module.css'

export function RequestAnswer({ summary }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const [, navigate] = useLocation()
  const { conversation, kind, request } = summary
  const [asking, setAsking] = useState<'delete' | 'block'>()
  const name = request?.by?.handle ?? t('requests.somebody')
  const accept = useAction(() => messenger.acceptRequest({ conversation }))
  const decline = useAction(async (block: boolean) => {
    await messenger.declineRequest({ conversation, block })
    navigate(paths.requests)
  })
  const close = () => setAsking(undefined)
  return (
    <section className={css['answer']} aria-label={t('requests.answer')}>
      <p className={css['question']}>{kind === 'group' ? t('requests.askGroup', { name }) : t('requests.ask', { name })}</p>
      <p className={css['unseen']}>{t('requests.unseen')}</p>
      <FailureLine failure={accept.failure ?? decline.failure} />
      <div className={css['choices']}>
        <Button kind="main" busy={accept.running} onClick={accept.start}>
          {t('requests.accept')}
        </Button>
        <Button onClick={() => setAsking('delete')}>{t('requests.delete')}</Button>
        {request?.by !== undefined && (
          <Button kind="danger" onClick={() => setAsking('block')}>
            {t('contacts.block')}
          </Button>
        )}
      </div>
      <Confirm
        open={asking === 'delete'}
        title={t('requests.deleteTitle')}
        text={<p>{kind === 'group' ? t('requests.deleteGroupText') : t('requests.deleteText', { name })}</p>}
        action={t('requests.delete')}
        busy={decline.running}
        onConfirm={() => decline.start(false)}
        onClose={close}
      />
      <Confirm
        open={asking === 'block'}
        title={t('contacts.blockTitle', { name })}
        text={<p>{t('requests.blockText', { name })}</p>}
        action={t('contacts.block')}
        busy={decline.running}
        onConfirm={() => decline.start(true)}
        onClose={close}
      />
    </section>
  )
}
