/** Asks before something that cannot be taken back. The question names what will happen; the button repeats it. */
import type { ReactNode } from 'react'
import { AlertDialog } from '@base-ui/react/alert-dialog'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import css from './dialog.module.css'

interface ConfirmProps {
  readonly open: boolean
  readonly title: string
  readonly text: ReactNode
  /** The words on the button that does it. */
  readonly action: string
  readonly busy?: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function Confirm({ open, title, text, action, busy = false, onConfirm, onClose }: ConfirmProps) {
  const { t } = useTranslation()
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={css['veil']} />
        <AlertDialog.Viewport className={css['viewport']}>
          <AlertDialog.Popup className={css['popup']}>
            <AlertDialog.Title className={css['title']}>{title}</AlertDialog.Title>
            <AlertDialog.Description render={<div />} className={css['text']}>
              {text}
            </AlertDialog.Description>
            <div className={css['choices']}>
              <Button onClick={onClose}>{t('confirm.cancel')}</Button>
              <Button kind="danger" busy={busy} onClick={onConfirm}>
                {action}
              </Button>
            </div>
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
