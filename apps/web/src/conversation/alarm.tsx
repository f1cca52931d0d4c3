/** What concerns somebody's safety: it stands out, and nobody can dismiss it. */
import { ShieldAlert } from 'lucide-react'
import css from './alarm.module.css'

export function Alarm({ title, advice }: { readonly title: string; readonly advice: string }) {
  return (
    <div className={css['alarm']}>
      <ShieldAlert size={22} aria-hidden="true" />
      <div className={css['words']}>
        <p className={css['title']}>{title}</p>
        <p>{advice}</p>
      </div>
    </div>
  )
}
