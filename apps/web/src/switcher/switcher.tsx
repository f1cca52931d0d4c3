/** Ctrl+K: type a few letters, press Enter, be there. */
import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { useTranslation } from 'react-i18next'
import { Search } from 'lucide-react'
import { useLocation } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { Avatar } from '../design/avatar.tsx'
import dialog from '../design/dialog.module.css'
import { paths } from '../routes.ts'
import css from './switcher.module.css'

interface SwitcherProps {
  readonly conversations: readonly ConversationSummary[]
  readonly onClose: () => void
}

export function Switcher({ conversations, onClose }: SwitcherProps) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const open = (summary: ConversationSummary) => {
    onClose()
    navigate(paths.conversation(summary.conversation))
  }
  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={dialog['veil']} />
        <Dialog.Viewport className={css['viewport']}>
          <Dialog.Popup className={css['popup']} aria-label={t('switcher.title')}>
            <Autocomplete.Root
              open
              inline
              items={conversations}
              itemToStringValue={(summary: ConversationSummary) => summary.title}
              autoHighlight="always"
              keepHighlight
            >
              <div className={css['box']}>
                <Search size={20} aria-hidden="true" />
                <Autocomplete.Input className={css['input']} aria-label={t('switcher.label')} placeholder={t('switcher.label')} />
              </div>
              <Autocomplete.Empty className={css['empty']}>{t('switcher.empty')}</Autocomplete.Empty>
              <Autocomplete.List className={css['list']}>
                {(summary: ConversationSummary) => (
                  <Autocomplete.Item key={summary.conversation} value={summary} className={css['item']} onClick={() => open(summary)}>
                    <Avatar
                      id={summary.peer?.account ?? summary.conversation}
                      name={summary.title}
                      shape={summary.kind === 'group' ? 'group' : 'person'}
                      size="small"
                    />
                    <bdi className={css['title']}>{summary.title}</bdi>
                    {summary.unread > 0 && <span className={css['unread']}>{t('list.unread', { count: summary.unread })}</span>}
                  </Autocomplete.Item>
                )}
              </Autocomplete.List>
            </Autocomplete.Root>
            <Dialog.Close className="sr-only">{t('confirm.close')}</Dialog.Close>
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
