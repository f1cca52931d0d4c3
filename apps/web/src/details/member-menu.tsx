/** What may be done about somebody in the conversation. */
import { Menu } from '@base-ui/react/menu'
import { EllipsisVertical } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { ConversationDetails, ConversationMember } from '@tacit/sdk'
import { IconButton } from '../design/icon-button.tsx'
import css from './member-row.module.css'

interface MemberMenuProps {
  readonly member: ConversationMember
  readonly can: ConversationDetails['can']
  readonly onName: () => void
  readonly onBlock: () => void
  readonly onRole: () => void
  readonly onRemove: () => void
}

export function MemberMenu({ member, can, onName, onBlock, onRole, onRemove }: MemberMenuProps) {
  const { t } = useTranslation()
  const { handle, blocked, role } = member
  const choices = [
    { label: t('contacts.name'), act: onName },
    { label: blocked ? t('contacts.unblock') : t('contacts.block'), act: onBlock },
    ...(can.changeRoles ? [{ label: role === 'admin' ? t('details.makeMember') : t('details.makeAdmin'), act: onRole }] : []),
    ...(can.remove ? [{ label: t('details.remove'), act: onRemove }] : []),
  ]
  return (
    <Menu.Root>
      <Menu.Trigger render={<IconButton label={t('details.actions', { handle })} icon={<EllipsisVertical size={20} />} />} />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4} className={css['positioner']}>
          <Menu.Popup className={css['menu']}>
            {choices.map(({ label, act }) => (
              <Menu.Item key={label} className={css['choice']} onClick={act}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
