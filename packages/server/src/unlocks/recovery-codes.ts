/**
 * Codes by which the operator lets somebody in who has no way to sign in left. A code gives the account back, never what was
 * encrypted: its session can do nothing but reset the account, which everybody sees.
 */
import { createHash } from 'node:crypto'
import { Refusal, type AccountId } from '@tacit/contract'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import * as store from './unlocks.store.ts'

const LIFE_MS = 24 * 3_600_000

/** Without letters that look like digits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUPS = 5
const PER_GROUP = 4

interface Codes {
  readonly database: Pick<Database, 'write'>
  readonly clock: Clock
}

/** A code of 100 random bits, good once and for 24 hours; one that was given before ends. */
export async function makeRecoveryCode({ database, clock, random }: Codes & { random: Random }, account: AccountId): Promise<string> {
  const letters = [...random.bytes(GROUPS * PER_GROUP)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '')
  const code = Array.from({ length: GROUPS }, (_, group) => letters.slice(group * PER_GROUP, (group + 1) * PER_GROUP).join('')).join('-')
  await database.write((tx) => store.setRecoveryCode(tx, { account, hash: hashOf(code), expires_at: clock.now() + LIFE_MS }))
  return code
}

/** Refuses `wrong_credentials` for a code that is wrong, was used, has ended, or is for nobody. */
export async function useRecoveryCode(
  { database, clock }: Codes,
  given: { account: AccountId | undefined; code: string },
): Promise<AccountId> {
  const { account, code } = given
  if (!account) throw new Refusal('wrong_credentials')
  const taken = await database.write((tx) => store.takeRecoveryCode(tx, { account, hash: hashOf(code) }))
  if (!taken || taken.expires_at <= clock.now()) throw new Refusal('wrong_credentials')
  return account
}

/** Forgets codes that ended unused. */
export const sweepRecoveryCodes = ({ database, clock }: Codes) => database.write((tx) => store.dropCodesBefore(tx, clock.now()))

/** As it may be typed: in any case, with or without dashes. */
function hashOf(code: string): Uint8Array {
  const plain = code
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  return new Uint8Array(createHash('sha256').update(`tacit recovery code\0${plain}`).digest())
}
