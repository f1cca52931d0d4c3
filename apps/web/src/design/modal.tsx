/** A small window over the rest, with a title and a way out. */
import type { ReactNode } from 'react'
import { Dialog } from '@base-ui/react/dialog'
import { useTranslation } from 'react-i18next'
import { X } from 'lucide-react'
import { IconButton } from './icon-button.tsx'
import css from './dialog.module.css'

interface ModalProps {
  readonly open: boolean
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

export function Modal({ open, title, onClose, children }: ModalProps) {
  const { t } = useTranslation()
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={css['veil']} />
        <Dialog.Viewport className={css['viewport']}>
          <Dialog.Popup className={css['popup']}>
            <div className={css['head']}>
              <Dialog.Title className={css['title']}>{title}</Dialog.Title>
              <Dialog.Close render={<IconButton label={t('confirm.close')} icon={<X size={20} />} />} />
            </div>
            {children}
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
