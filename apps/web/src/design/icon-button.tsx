/** A button that shows only a picture: its words are its accessible name and its tooltip. */
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Link } from 'wouter'
import { classes } from './classes.ts'
import css from './icon-button.module.css'

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly label: string
  readonly icon: ReactNode
  readonly kind?: 'quiet' | 'main'
}

export function IconButton({ label, icon, kind = 'quiet', className, ...rest }: IconButtonProps) {
  return (
    <button type="button" {...rest} aria-label={label} title={label} className={classes(css['icon'], css[kind], className)}>
      {icon}
    </button>
  )
}

interface IconLinkProps {
  readonly to: string
  readonly label: string
  readonly icon: ReactNode
  readonly current?: boolean
  readonly className?: string | undefined
}

export function IconLink({ to, label, icon, current = false, className }: IconLinkProps) {
  return (
    <Link
      to={to}
      aria-label={label}
      title={label}
      aria-current={current ? 'page' : undefined}
      className={classes(css['icon'], css['quiet'], current && css['current'], className)}
    >
      {icon}
    </Link>
  )
}
