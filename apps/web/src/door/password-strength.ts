/**
 * A rough word for a password while it is typed. Length counts most: the server never sees it, so nobody but a thief of
 * its records could try it, and each try costs them a memory-hard hash.
 */
export type PasswordStrength = 'short' | 'fair' | 'good' | 'strong'

export const MIN_PASSWORD = 8

export function passwordStrength(password: string): PasswordStrength {
  const length = Array.from(password).length
  if (length < MIN_PASSWORD) return 'short'
  const different = new Set(password.toLowerCase()).size
  // "aaaaaaaaaaaa" and "12121212" are long, and the first ones anybody tries.
  if (different < 5) return 'fair'
  const points = length + kinds(password)
  if (points >= 20) return 'strong'
  return points >= 13 ? 'good' : 'fair'
}

const kinds = (password: string): number => [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length
