/** Buttons with words. The kind says how much weight a choice carries; a button never changes its words while it works. */
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import css from './button.module.css'
import { classes } from './classes.ts'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: 'main' | 'plain' | 'quiet' | 'danger'
  readonly icon?: ReactNode
  /** Shows that it is at work and cannot be pressed again. It keeps the focus, so it is not disabled. */
  readonly busy?: boolean
  readonly wide?: boolean
}

export function Button({ kind = 'plain', icon, busy = false, wide = false, children, className, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={classes(css['button'], css[kind], busy && css['busy'], wide && css['wide'], className)}
    >
      {busy ? <span className={css['spinner']} aria-hidden="true" /> : icon}
      <span>{children}</span>
    </button>
  )
}
