/** The ways to sign in: which they are, a new password, a recovery kit and coming back with one, beginning anew. */
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'
import { MessengerError, type UnlockMethod } from '@tacit/sdk'
import type { Context, SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { dateAndTime } from '../terminal/when.ts'
import { comeIn } from './account.ts'
import { askHidden, readPassword } from './password.ts'
import { terminalQr } from './terminal-qr.ts'

/** Prints the ways to sign in, or removes the one whose id begins with `remove`. */
export async function ways(context: SignedInContext, { remove }: { remove: string | undefined }): Promise<void> {
  const { device, voice } = context
  const all = await device.unlockMethods()
  if (remove !== undefined) {
    const [found, ...others] = all.filter(({ unlock }) => unlock.startsWith(remove))
    if (!found) throw new CliFailure('not_found', `There is no way to sign in “${remove}”.`, 'See `tacit ways`.')
    if (others.length > 0) throw new CliFailure('ambiguous', `“${remove}” fits several.`, 'Give more of the id.')
    await proved(context, () => device.removeUnlockMethod(found))
    return voice.answer({ json: { removed: found.unlock }, lines: [`removed ${found.unlock} ${found.kind}`] })
  }
  voice.answer({
    json: all.map(asJson),
    lines: all.map((one) => `${one.unlock}  ${one.kind.padEnd(8)}  since ${dateAndTime(one.addedAt)}`),
  })
}

/** Asks for a new password; the one before is asked for when the last proof is too long ago. */
export async function changePassword(context: SignedInContext, { fromStdin }: { fromStdin: boolean }): Promise<void> {
  const { device, voice, world } = context
  const password = fromStdin ? firstLines(await text(world.stdin), 1)[0] : await askHidden(world, 'New password: ')
  if (!fromStdin && (await askHidden(world, 'The same again: ')) !== password)
    throw new CliFailure('usage', 'The two passwords differ.', 'Try again.')
  await proved(context, () => device.setPassword({ password: password ?? '' }))
  voice.answer({ json: { changed: 'password' }, lines: ['the new password is the one that counts from now on'] })
}

/** Makes a recovery kit and prints it, once. */
export async function makeKit(context: SignedInContext): Promise<void> {
  const { device, voice } = context
  const kit = await proved(context, () => device.makeRecoveryKit())
  const numbered = kit.words.map((word, at) => `${String(at + 1).padStart(2)}. ${word}`)
  const lines = [
    `Recovery kit of @${kit.handle} on ${kit.server}`,
    '',
    ...numbered,
    '',
    ...terminalQr(kit.code),
    '',
    'Keep it on paper. It is shown this once, opens your account, and takes the place of the kit before.',
  ]
  voice.answer({ json: { handle: kit.handle, server: kit.server, words: kit.words, code: kit.code }, lines })
}

/** Makes this profile a device of the account that the kit belongs to. */
export async function signInWithKit(context: Context, how: { fromStdin: boolean; deviceName: string | undefined }): Promise<void> {
  const { device, profile, world } = mustBeEmpty(context)
  const kit = how.fromStdin ? await text(world.stdin) : await askHidden(world, 'The twelve words: ')
  await device.signInWithKit({ kit: kit.trim(), deviceName: how.deviceName ?? terminalName() })
  profile.keep()
  await comeIn(context)
}

/** Begins anew with a code from the operator and a new password: the first two lines of standard input, or asked for. */
export async function beginAnew(
  context: Context,
  how: { handle: string; fromStdin: boolean; deviceName: string | undefined },
): Promise<void> {
  const { device, profile, world } = mustBeEmpty(context)
  const lines = how.fromStdin ? firstLines(await text(world.stdin), 2) : undefined
  const code = lines ? lines[0] : await askHidden(world, 'Code from the operator: ')
  await device.enterRecoveryCode({ handle: how.handle.replace(/^@/, ''), code: code ?? '' })
  const password = lines ? lines[1] : await readPassword({ world, fromStdin: false, isNew: true })
  await device.resetAccount({ password: password ?? '', deviceName: how.deviceName ?? terminalName() })
  profile.keep()
  await comeIn(context)
}

function mustBeEmpty(context: Context): Context {
  const session = context.device.watch('session').get()
  if (session.kind !== 'signed_in') return context
  throw new CliFailure('signed_in_already', `The profile ${context.profile.name} is signed in as @${session.me.handle}.`)
}

/** Does it, after the person has proved that it is them where that is needed. */
async function proved<T>({ device, world }: SignedInContext, change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (!(error instanceof MessengerError) || error.failure !== 'proof_needed') throw error
    await device.proveByPassword({ password: await readPassword({ world, fromStdin: false, isNew: false }) })
    return change()
  }
}

const terminalName = (): string => `terminal on ${hostname()}`

function firstLines(whole: string, count: number): readonly string[] {
  const lines = whole.split(/\r?\n/).slice(0, count)
  if (lines.length < count || lines.includes('')) throw new CliFailure('usage', `Standard input has fewer than ${count} lines.`)
  return lines
}

const asJson = ({ unlock, kind, addedAt }: UnlockMethod) => ({ unlock, kind, addedAt: new Date(addedAt).toISOString() })
