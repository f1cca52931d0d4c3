/** How far something is that takes its time. The words beside it say what. */
import { classes } from './classes.ts'
import css from './progress-bar.module.css'

interface ProgressBarProps {
  readonly label: string
  readonly done: number
  readonly total: number
  /** Along the edge of what it belongs to. */
  readonly edge?: boolean
}

export function ProgressBar({ label, done, total, edge = false }: ProgressBarProps) {
  return <progress className={classes(css['bar'], edge && css['edge'])} aria-label={label} value={done} max={Math.max(1, total)} />
}
