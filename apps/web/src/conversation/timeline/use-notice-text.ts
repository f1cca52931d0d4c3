/** What a notice says, seen from the reader: "You added Bob", "Carol left". */
import { useTranslation } from 'react-i18next'
import type { ConversationId, Notice, Person } from '@tacit/sdk'
import { useWatch } from '../../messenger/messenger-context.tsx'

export const useNoticeText = (notice: Notice): string => useNoticeWords()(notice)

/** The same for any notice. */
export function useNoticeWords(): (notice: Notice) => string {
  const { t } = useTranslation()
  const session = useWatch('session')
  const conversations = useWatch('conversations')
  const isMe = (person: Person) => 'me' in session && session.me.account === person.account
  /** Of a group that this device does not know there is only the other's word. */
  const titleOf = (id: ConversationId) => conversations?.find(({ conversation }) => conversation === id)?.title ?? t('anew.unknown')
  /** The words say "You ..." in the context `byMe`, and name the person otherwise. */
  const by = (person: Person): { by: string; context: string } => ({ by: person.handle, context: isMe(person) ? 'byMe' : '' })
  return (notice) => {
    switch (notice.kind) {
      case 'created':
        return t('notice.created', by(notice.by))
      case 'joined':
        return isMe(notice.person)
          ? t('notice.joinedMe', by(notice.by))
          : t('notice.joined', { ...by(notice.by), person: notice.person.handle })
      case 'removed':
        return isMe(notice.person)
          ? t('notice.removedMe', by(notice.by))
          : t('notice.removed', { ...by(notice.by), person: notice.person.handle })
      case 'left':
        return isMe(notice.person) ? t('notice.leftMe') : t('notice.left', { person: notice.person.handle })
      case 'renamed':
        return t('notice.renamed', { ...by(notice.by), title: notice.title })
      case 'role_changed':
        if (isMe(notice.person)) return t(notice.role === 'admin' ? 'notice.madeAdminMe' : 'notice.madeMemberMe', by(notice.by))
        return t(notice.role === 'admin' ? 'notice.madeAdmin' : 'notice.madeMember', { ...by(notice.by), person: notice.person.handle })
      case 'device_joined':
        return isMe(notice.person) ? t('notice.deviceJoinedMe') : t('notice.deviceJoined', { person: notice.person.handle })
      case 'device_removed':
        return isMe(notice.person) ? t('notice.deviceRemovedMe') : t('notice.deviceRemoved', { person: notice.person.handle })
      case 'identity_changed':
        return t('notice.identityChanged', { person: notice.person.handle })
      case 'continued':
        return t('notice.continued', by(notice.by))
      case 'continues':
        return t('notice.continues', { ...by(notice.by), title: titleOf(notice.conversation) })
      case 'history_begins':
        return t('notice.historyBegins')
      case 'tampering':
        return t('notice.tampering')
    }
  }
}
