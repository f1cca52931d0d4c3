/** How everything here is encrypted, conversation by conversation, and the way to fresh keys at once. */
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Button } from '../design/button.tsx'
import { Page } from '../design/page.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger, useWatch } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { usePlatform } from '../platform/platform-context.tsx'
import { paths } from '../routes.ts'
import { useMoments } from '../time/use-moments.ts'
import css from './encryption.module.css'
import shared from './settings.module.css'

export function Encryption({ conversations }: { readonly conversations: readonly ConversationSummary[] }) {
  const { t } = useTranslation()
  const active = conversations.filter(({ standing }) => standing === 'active')
  const [first] = active
  return (
    <Page title={t('encryption.title')}>
      <p className={css['explain']}>{t('encryption.explain')}</p>
      <p className={css['explain']}>{t('encryption.explainKeys')}</p>
      {first === undefined ? <p>{t('encryption.none')}</p> : <Suite conversation={first.conversation} />}
      <ul className={shared['card']}>
        {active.map((summary) => (
          <Entry key={summary.conversation} summary={summary} />
        ))}
      </ul>
    </Page>
  )
}

/** The same in all conversations of this version. */
function Suite({ conversation }: Pick<ConversationSummary, 'conversation'>) {
  const { t } = useTranslation()
  const details = useWatch('details', conversation)
  return (
    <dl className={css['facts']}>
      <dt>{t('details.protocol')}</dt>
      <dd>Messaging Layer Security (RFC 9420)</dd>
      <dt>{t('details.suite')}</dt>
      <dd>{details?.encryption.suite}</dd>
    </dl>
  )
}

function Entry({ summary: { conversation, title } }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const moments = useMoments()
  const { now } = usePlatform()
  const details = useWatch('details', conversation)
  const rotate = useAction(() => messenger.rotateKeys({ conversation }))
  if (details === undefined) return null
  const { epoch, renewed } = details.encryption
  const others = details.members.filter((member) => !member.me)
  const compared = others.filter((member) => member.compared).length
  const howMany = compared === 0 ? 'none' : compared === others.length ? 'all' : 'some'
  return (
    <li className={shared['entry']}>
      <div className={shared['words']}>
        <Link to={paths.about(conversation)} className={css['name']}>
          {title}
        </Link>
        <span className={shared['quiet']}>
          {t('encryption.epoch', { count: epoch })}
          {' · '}
          {renewed === undefined ? t('encryption.notYet') : t('encryption.renewed', { ago: moments.ago(renewed, now()) })}
        </span>
        {others.length > 0 && (
          <span className={shared['quiet']}>{t(`encryption.compared.${howMany}`, { compared, of: others.length })}</span>
        )}
      </div>
      <Button busy={rotate.running} onClick={rotate.start} aria-label={t('encryption.renewIn', { title })}>
        {t('encryption.renew')}
      </Button>
      <FailureLine failure={rotate.failure} />
    </li>
  )
}
