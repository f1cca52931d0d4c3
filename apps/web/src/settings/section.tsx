/** A titled card of settings. */
import { useId, type ReactNode } from 'react'
import css from './settings.module.css'

interface SectionProps {
  readonly title: string
  readonly hint?: string
  readonly children: ReactNode
}

export function Section({ title, hint, children }: SectionProps) {
  const id = useId()
  return (
    <section className={css['section']} aria-labelledby={id}>
      <h2 id={id} className={css['title']}>
        {title}
      </h2>
      {hint !== undefined && <p className={css['quiet']}>{hint}</p>}
      <div className={css['card']}>{children}</div>
    </section>
  )
}
