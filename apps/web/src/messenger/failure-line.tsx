/** One sentence about what went wrong, announced when it appears. */
import { useTranslation } from 'react-i18next'
import { CircleAlert } from 'lucide-react'
import css from './failure-line.module.css'
import { failureText, type Failure } from './failure.ts'

export function FailureLine({ failure }: { readonly failure: Failure | undefined }) {
  const { t } = useTranslation()
  return (
    <div role="alert" className={css['line']}>
      {failure !== undefined && (
        <p className={css['text']}>
          <CircleAlert size={18} aria-hidden="true" />
          <span>{t(failureText(failure.name), { seconds: failure.retryAfter ?? 60 })}</span>
        </p>
      )}
    </div>
  )
}
