/** All attacks of the malicious server, by their rows. */
import { accountAttacks } from './attacks/account.ts'
import { insiderAttacks } from './attacks/insiders.ts'
import { keyAttacks } from './attacks/keys.ts'
import { logAttacks } from './attacks/log.ts'
import { membershipAttacks } from './attacks/membership.ts'
import { strangerAttacks } from './attacks/strangers.ts'
import { wordAttacks } from './attacks/words.ts'
import type { Row } from './row.ts'

export const attacks: readonly Row[] = [
  ...logAttacks,
  ...membershipAttacks,
  ...keyAttacks,
  ...wordAttacks,
  ...accountAttacks,
  ...insiderAttacks,
  ...strangerAttacks,
].toSorted((one, other) => one.id.localeCompare(other.id))
