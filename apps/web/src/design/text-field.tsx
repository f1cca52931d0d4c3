/** One line of input with its label, an optional hint and an optional problem, tied together for assistive technology. */
import { useId, type InputHTMLAttributes, type ReactNode, type Ref } from 'react'
import { classes } from './classes.ts'
import css from './text-field.module.css'

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'prefix'> {
  readonly label: string
  readonly hint?: ReactNode
  readonly problem?: ReactNode
  /** Drawn inside the box, before what is typed. */
  readonly lead?: ReactNode
  readonly tail?: ReactNode
  readonly ref?: Ref<HTMLInputElement>
}

export function TextField({ label, hint, problem, lead, tail, ref, className, ...rest }: TextFieldProps) {
  const id = useId()
  const below = problem ?? hint
  return (
    <div className={classes(css['field'], className)}>
      <label htmlFor={id} className={css['label']}>
        {label}
      </label>
      <div className={classes(css['box'], problem !== undefined && css['wrong'])}>
        {lead}
        <input
          ref={ref}
          id={id}
          className={css['input']}
          aria-invalid={problem !== undefined || undefined}
          aria-describedby={below === undefined ? undefined : `${id}-below`}
          {...rest}
        />
        {tail}
      </div>
      {below !== undefined && (
        <div id={`${id}-below`} className={classes(css['below'], problem !== undefined && css['problem'])}>
          {below}
        </div>
      )}
    </div>
  )
}
