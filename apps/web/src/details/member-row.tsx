/** Somebody in the conversation, and what may be done about them. */
import { lazy, Suspense, useState } from 'react'
import { Menu } from '@base-ui/react/menu'
import { useTranslation } from 'react-i18next'
import { EllipsisVertical, Shield, ShieldCheck } from 'lucide-react'
import type { ConversationDetails, ConversationId, ConversationMember } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { Confirm } from '../design/confirm.tsx'
import { IconButton } from '../design/icon-button.tsx'
import { FailureLine } from '../messenger/failure-line.tsx'
import { useMessenger } from '../messenger/messenger-context.tsx'
import { useAction } from '../messenger/use-action.ts'
import { NamePerson } from '../people/name-person.tsx'
import css from './member-row.module.css'

const SafetyNumber = lazy(async () => ({ default: (await import('../trust/safety-number.tsx')).SafetyNumber }))

interface MemberRowProps {
  readonly conversation: ConversationId
  readonly member: ConversationMember
  readonly can: ConversationDetails['can']
  readonly group: boolean
}

export function MemberRow({ conversation, member, can, group }: MemberRowProps) {
  const { t } = useTranslation()
  const messenger = useMessenger()
  const { account, handle, role, me, compared, blocked } = member
  const called = member.nickname ?? handle
  const [asking, setAsking] = useState(false)
  const [comparing, setComparing] = useState(false)
  const [naming, setNaming] = useState(false)
  const [blocking, setBlocking] = useState(false)
  const block = useAction(async () => {
    await messenger.setBlocked({ account, blocked: !blocked })
    setBlocking(false)
  })
  const setRole = useAction(() => messenger.setRole({ conversation, account, role: role === 'admin' ? 'member' : 'admin' }))
  const remove = useAction(async () => {
    await messenger.removePerson({ conversation, account })
    setAsking(false)
  })
  const facts = [
    called !== handle && handle,
    blocked && t('contacts.blocked'),
    group && role === 'admin' && t('details.admin'),
    t('details.devices', { count: member.devices }),
  ].filter(Boolean)
  return (
    <li className={css['item']}>
      <div className={css['row']}>
        <Avatar id={account} name={called} online={member.online === true} />
        <div className={css['words']}>
          <span className={css['handle']}>
            {called} {me && <span className={css['me']}>{t('details.me')}</span>}
            {member.online === true && <span className="sr-only">{t('list.online')}</span>}
          </span>
          <span className={css['facts']}>{facts.join(' · ')}</span>
        </div>
        {!me && (
          <IconButton
            label={compared ? t('safety.openCompared', { handle }) : t('safety.open', { handle })}
            icon={compared ? <ShieldCheck size={20} className={css['compared']} /> : <Shield size={20} />}
            onClick={() => setComparing(true)}
          />
        )}
        {!me && (
          <Menu.Root>
            <Menu.Trigger render={<IconButton label={t('details.actions', { handle })} icon={<EllipsisVertical size={20} />} />} />
            <Menu.Portal>
              <Menu.Positioner align="end" sideOffset={4} className={css['positioner']}>
                <Menu.Popup className={css['menu']}>
                  <Menu.Item className={css['choice']} onClick={() => setNaming(true)}>
                    {t('contacts.name')}
                  </Menu.Item>
                  <Menu.Item className={css['choice']} onClick={() => (blocked ? block.start() : setBlocking(true))}>
                    {blocked ? t('contacts.unblock') : t('contacts.block')}
                  </Menu.Item>
                  {can.changeRoles && (
                    <Menu.Item className={css['choice']} onClick={setRole.start}>
                      {role === 'admin' ? t('details.makeMember') : t('details.makeAdmin')}
                    </Menu.Item>
                  )}
                  {can.remove && (
                    <Menu.Item className={css['choice']} onClick={() => setAsking(true)}>
                      {t('details.remove')}
                    </Menu.Item>
                  )}
                </Menu.Popup>
              </Menu.Positioner>
            </Menu.Portal>
          </Menu.Root>
        )}
      </div>
      <FailureLine failure={setRole.failure ?? block.failure} />
      {naming && <NamePerson person={member} onClose={() => setNaming(false)} />}
      <Confirm
        open={blocking}
        title={t('contacts.blockTitle', { name: called })}
        text={<p>{t('contacts.blockText', { name: called })}</p>}
        action={t('contacts.block')}
        busy={block.running}
        onConfirm={block.start}
        onClose={() => setBlocking(false)}
      />
      {comparing && (
        <Suspense>
          <SafetyNumber account={account} handle={handle} onClose={() => setComparing(false)} />
        </Suspense>
      )}
      <Confirm
        open={asking}
        title={t('details.removeTitle', { handle })}
        text={
          <>
            <p>{t('details.removeText', { handle })}</p>
            <FailureLine failure={remove.failure} />
          </>
        }
        action={t('details.remove')}
        busy={remove.running}
        onConfirm={remove.start}
        onClose={() => setAsking(false)}
      />
    </li>
  )
}
