/** A person or a group as a coloured letter. The colour follows from the id, so it is the same on every device. */
import css from './avatar.module.css'
import { classes } from './classes.ts'
import { hueOf, initials } from './initials.ts'

interface AvatarProps {
  /** What the colour follows from: an account or conversation id. */
  readonly id: string
  readonly name: string
  readonly shape?: 'person' | 'group'
  readonly size?: 'small' | 'normal' | 'large'
  /** Draws the dot only; say "online" in words beside it. */
  readonly online?: boolean
}

export function Avatar({ id, name, shape = 'person', size = 'normal', online = false }: AvatarProps) {
  return (
    <span className={classes(css['avatar'], css[size], css[shape], css[`hue${hueOf(id)}`])} aria-hidden="true">
      {initials({ name, count: shape === 'group' ? 2 : 1 })}
      {online && <span className={css['dot']} />}
    </span>
  )
}
