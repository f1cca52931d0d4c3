/** Somebody in the conversation, and what may be done about them. */
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Shield, ShieldCheck } from 'lucide-react'
import type { ConversationDetails, ConversationId, ConversationMember, WaitingRemoval } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { IconButton } from '../design/icon-button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { NamePerson } from '../people/name-person.tsx'
import { useMoments } from '../time/use-moments.ts'
import { ConfirmBlocking, ConfirmRemoving } from './confirm-about.tsx'
import { MemberMenu } from './member-menu.tsx'
import css from './member-row.module.css'

const SafetyNumber = lazy(async () => ({ default: (await import('../trust/safety-number.tsx')).SafetyNumber }))

interface MemberRowProps {
  readonly conversation: ConversationId
  readonly member: ConversationMember
  readonly can: ConversationDetails['can']
  readonly group: boolean
  /** They are to go. */
  readonly removal: WaitingRemoval | undefined
}

type Doing = 'comparing' | 'naming' | 'blocking' | 'removing'

export function MemberRow({ conversation, member, can, group, removal }: MemberRowProps) {
  const messenger = useMessenger()
  const { account, handle, role } = member
  const [doing, setDoing] = useState<Doing>()
  const done = () => setDoing(undefined)
  const unblock = useAction(() => messenger.setBlocked({ account, blocked: false }))
  const setRole = useAction(() => messenger.setRole({ conversation, account, role: role === 'admin' ? 'member' : 'admin' }))
  return (
    <li className={css['item']}>
      <div className={css['row']}>
        <Avatar id={account} name={member.nickname ?? handle} online={member.online === true} />
        <MemberFacts member={member} group={group} removal={removal} />
        {!member.me && (
          <>
            <CompareButton member={member} onCompare={() => setDoing('comparing')} />
            <MemberMenu
              member={member}
              can={can}
              onName={() => setDoing('naming')}
              onBlock={() => (member.blocked ? unblock.start() : setDoing('blocking'))}
              onRole={setRole.start}
              onRemove={() => setDoing('removing')}
            />
          </>
        )}
      </div>
      <FailureLine failure={setRole.failure ?? unblock.failure} />
      {doing === 'naming' && <NamePerson person={member} onClose={done} />}
      {doing === 'comparing' && (
        <Suspense>
          <SafetyNumber account={account} handle={handle} onClose={done} />
        </Suspense>
      )}
      <ConfirmBlocking member={member} open={doing === 'blocking'} onClose={done} />
      <ConfirmRemoving member={member} open={doing === 'removing'} onClose={done} conversation={conversation} />
    </li>
  )
}

function MemberFacts({ member, group, removal }: Pick<MemberRowProps, 'member' | 'group' | 'removal'>) {
  const { t } = useTranslation()
  const { full } = useMoments()
  const { handle, nickname, me, blocked, role, devices, online } = member
  const facts = [
    nickname !== undefined && nickname !== handle && handle,
    blocked && t('contacts.blocked'),
    group && role === 'admin' && t('details.admin'),
    t('details.devices', { count: devices }),
  ].filter(Boolean)
  return (
    <div className={css['words']}>
      <span className={css['handle']}>
        {nickname ?? handle} {me && <span className={css['me']}>{t('details.me')}</span>}
        {online === true && <span className="sr-only">{t('list.online')}</span>}
      </span>
      <span className={css['facts']}>{facts.join(' · ')}</span>
      {removal && (
        <span className={css['leaving']} data-late={removal.late}>
          {t('removal.waits', { when: full(removal.asked) })}
        </span>
      )}
    </div>
  )
}

function CompareButton({ member, onCompare }: { readonly member: ConversationMember; readonly onCompare: () => void }) {
  const { t } = useTranslation()
  const { handle, compared } = member
  return (
    <IconButton
      label={compared ? t('safety.openCompared', { handle }) : t('safety.open', { handle })}
      icon={compared ? <ShieldCheck size={20} className={css['compared']} /> : <Shield size={20} />}
      onClick={onCompare}
    />
  )
}
