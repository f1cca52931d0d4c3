/** The mark: a speech bubble that holds a whole-bar rest, the sign for "this voice is silent here" (tacet). */
import css from './logo.module.css'

export function Logo({ size }: { readonly size: number }) {
  return (
    <svg viewBox="0 0 64 64" width={size} height={size} aria-hidden="true">
      <rect width="64" height="64" rx="15" className={css['ground']} />
      <path
        d="M22 13h20a10 10 0 0 1 10 10v13a10 10 0 0 1-10 10H31.5l-9.2 7.3c-1 .8-2.3.1-2.3-1.1V46a10 10 0 0 1-8-10V23a10 10 0 0 1 10-10z"
        fill="#f2faf9"
      />
      <path d="M19.5 26.5h25" stroke="#0f5c63" strokeWidth="3" strokeLinecap="round" />
      <path d="M25 26.5h14v6a2 2 0 0 1-2 2H27a2 2 0 0 1-2-2z" fill="#0f5c63" />
    </svg>
  )
}
