/** About a conversation: who is in it with which role, what can be changed, and how it is protected. */
import { useTranslation } from 'react-i18next'
import { ArrowLeft, X } from 'lucide-react'
import type { ConversationSummary } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import { IconLink } from '../design/icon-button.tsx'
import { useWatch } from '../messenger/messenger-context.tsx'
import { paths } from '../routes.ts'
import { AddPeople } from './add-people.tsx'
import css from './details.module.css'
import { EncryptionLine } from './encryption-line.tsx'
import { LeaveGroup } from './leave-group.tsx'
import { MemberRow } from './member-row.tsx'
import { RenameGroup } from './rename-group.tsx'

export function Details({ summary }: { readonly summary: ConversationSummary }) {
  const { t } = useTranslation()
  const { conversation, kind, title, peer } = summary
  const details = useWatch('details', conversation)
  const back = paths.conversation(conversation)
  return (
    <aside className={css['panel']} aria-label={t('details.title')}>
      <header className={css['bar']}>
        <IconLink to={back} label={t('details.back')} icon={<ArrowLeft size={22} className="mirrors" />} className={css['narrow']} />
        <h1 className={css['barTitle']}>{t('details.title')}</h1>
        <IconLink to={back} label={t('details.close')} icon={<X size={20} />} className={css['wide']} />
      </header>
      <div className={css['scroll']}>
        <div className={css['head']}>
          <Avatar id={peer?.account ?? conversation} name={title} shape={kind === 'group' ? 'group' : 'person'} size="large" />
          {details?.can.rename === true ? (
            <RenameGroup conversation={conversation} title={title} />
          ) : (
            <p className={css['name']}>{title}</p>
          )}
        </div>
        {details !== undefined && (
          <>
            <EncryptionLine details={details} />
            <section className={css['section']}>
              <div className={css['sectionHead']}>
                <h2 className={css['sectionTitle']}>{t('details.members', { count: details.members.length })}</h2>
                {details.can.add && <AddPeople conversation={conversation} members={details.members} />}
              </div>
              <ul>
                {details.members.map((member) => (
                  <MemberRow
                    key={member.account}
                    member={member}
                    conversation={conversation}
                    can={details.can}
                    group={kind === 'group'}
                    removal={details.removals.find(({ person }) => person.account === member.account)}
                  />
                ))}
              </ul>
            </section>
            {details.can.leave && <LeaveGroup conversation={conversation} title={title} />}
          </>
        )}
      </div>
    </aside>
  )
}
