/** A password, hidden until its owner wants to see it; for a new one also a word about its strength. */
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Eye, EyeOff } from 'lucide-react'
import { classes } from '../design/classes.ts'
import { TextField } from '../design/text-field.tsx'
import css from './password-field.module.css'
import { MIN_PASSWORD, passwordStrength } from './password-strength.ts'

interface PasswordFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly autoComplete: 'current-password' | 'new-password'
  readonly hint?: React.ReactNode
}

export function PasswordField({ label, value, onChange, autoComplete, hint }: PasswordFieldProps) {
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  const Icon = shown ? EyeOff : Eye
  return (
    <TextField
      label={label}
      hint={hint}
      name="password"
      type={shown ? 'text' : 'password'}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      autoComplete={autoComplete}
      autoCapitalize="none"
      spellCheck={false}
      maxLength={1000}
      required
      tail={
        <button
          type="button"
          className={css['show']}
          aria-label={t('door.showPassword')}
          aria-pressed={shown}
          onClick={() => setShown((now) => !now)}
        >
          <Icon size={18} aria-hidden="true" />
        </button>
      }
    />
  )
}

interface NewPasswordFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

export function NewPasswordField({ value, onChange }: NewPasswordFieldProps) {
  const { t } = useTranslation()
  const strength = passwordStrength(value)
  return (
    <PasswordField
      label={t('door.password')}
      value={value}
      onChange={onChange}
      autoComplete="new-password"
      hint={
        <>
          <span className={classes(css['meter'], value !== '' && css[strength])} aria-hidden="true" />
          <span aria-live="polite">
            {value === '' ? t('door.strength.hint', { count: MIN_PASSWORD }) : t(`door.strength.${strength}`, { count: MIN_PASSWORD })}
          </span>
        </>
      }
    />
  )
}
