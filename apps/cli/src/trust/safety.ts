/** Comparing keys with somebody by another way than the server. */
import { MessengerError } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'

interface Comparing {
  readonly handle: string
  /** What the other device shows. */
  readonly code?: string
  readonly same: boolean
  readonly forget: boolean
}

/** Prints number and code; or compares, and fails with the exit code of broken trust when they differ. */
export async function safety({ device, voice }: SignedInContext, { handle, code, same, forget }: Comparing): Promise<void> {
  const asked = handle.replace(/^@/, '')
  const person = await device.findPerson({ handle: asked })
  if (!person) throw new MessengerError('not_found', `There is nobody called @${asked}.`)
  const { account } = person
  if (code !== undefined) {
    const verdict = await device.compareSafetyCode({ account, code })
    if (verdict === 'different')
      throw new CliFailure(
        'not_sound',
        `This is not the code of @${person.handle}: somebody may stand between you.`,
        'Write nothing private.',
      )
    if (verdict === 'not_a_code') throw new CliFailure('usage', `This is not a code that @${person.handle} would see about you.`)
  }
  if (same || forget) await device.setCompared({ account, same: !forget })
  const { digits, code: own, compared } = await device.safetyNumber({ account })
  voice.answer({
    json: { handle: person.handle, digits: digits.join(' '), code: own, compared },
    lines: [
      `${digits.slice(0, 6).join(' ')}`,
      `${digits.slice(6).join(' ')}`,
      `your code for @${person.handle}: ${own}`,
      compared ? `you have compared keys with @${person.handle}` : `keys with @${person.handle} are not compared yet`,
    ],
  })
}
