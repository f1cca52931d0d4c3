/** A page in the main pane that is no conversation: its title, a way back on narrow windows, and a column of content. */
import { useEffect, useRef, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ArrowLeft } from 'lucide-react'
import { useDocumentTitle } from '../platform/use-document-title.ts'
import { paths } from '../routes.ts'
import { IconLink } from './icon-button.tsx'
import css from './page.module.css'

interface PageProps {
  readonly title: string
  readonly children: ReactNode
  /** Set when something on the page takes the focus itself. */
  readonly ownFocus?: boolean
}

export function Page({ title, children, ownFocus = false }: PageProps) {
  const { t } = useTranslation()
  const heading = useRef<HTMLHeadingElement>(null)
  useDocumentTitle({ title })
  useEffect(() => {
    if (!ownFocus) heading.current?.focus()
  }, [ownFocus])
  return (
    <div className={css['page']}>
      <header className={css['bar']}>
        <IconLink to={paths.home} label={t('page.back')} icon={<ArrowLeft size={22} className="mirrors" />} className={css['back']} />
        <h1 ref={heading} tabIndex={-1} className={css['title']}>
          {title}
        </h1>
      </header>
      <div className={css['scroll']}>
        <div className={css['column']}>{children}</div>
      </div>
    </div>
  )
}
