/** The PIN of the app lock: never shown, never offered to a password manager, because it is no account's. */
import type { Ref } from 'react'
import { TextField } from '../design/text-field.tsx'

interface PinFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly hint?: string
  readonly problem?: string | undefined
  readonly ref?: Ref<HTMLInputElement>
}

export function PinField({ label, value, onChange, hint, problem, ref }: PinFieldProps) {
  return (
    <TextField
      label={label}
      {...(hint !== undefined && { hint })}
      {...(problem !== undefined && { problem })}
      {...(ref !== undefined && { ref })}
      type="password"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      maxLength={200}
      required
    />
  )
}
