/** The account and this device: signing up, in and out, and what else belongs to the account. */
import { hostname } from 'node:os'
import type { Context, SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { dateAndTime } from '../terminal/when.ts'
import { readPassword } from './password.ts'

/** How long joining may take, milliseconds; what is left goes on with the next command. */
export const COMING_IN = 60_000

export interface SignInRequest {
  readonly how: 'signUp' | 'signIn'
  readonly handle: string
  readonly passwordFromStdin: boolean
  readonly deviceName: string | undefined
}

/** Signs a new or existing account in on this profile. */
export async function enter({ device, profile, voice, world }: Context, request: SignInRequest): Promise<void> {
  const session = device.watch('session').get()
  if (session.kind === 'signed_in') {
    throw new CliFailure('signed_in_already', `The profile ${profile.name} is signed in as @${session.me.handle}.`)
  }
  const password = await readPassword({ world, fromStdin: request.passwordFromStdin, isNew: request.how === 'signUp' })
  const handle = request.handle.replace(/^@/, '')
  await device[request.how]({ handle, password, deviceName: request.deviceName ?? `terminal on ${hostname()}` })
  profile.keep()
  await comeIn({ device, profile, voice })
}

/**
 * Says who is signed in, once the device is in the conversations of its person. Joining them takes a while in the background, and commands
 * that each end before it is done would show none for as long as they come one by one.
 */
export async function comeIn({ device, profile, voice }: Pick<Context, 'device' | 'profile' | 'voice'>): Promise<void> {
  await device.settle({ within: COMING_IN })
  const entered = device.watch('session').get()
  const handle = entered.kind === 'signed_in' ? entered.me.handle : ''
  const late = entered.kind === 'signed_in' && entered.joinedLate ? ['What was written before comes from your archive, newest first.'] : []
  voice.answer({
    json: { handle, server: profile.server, profile: profile.name },
    lines: [`signed in as @${handle} on ${profile.server}`, ...late],
  })
}

/** Ends the session and removes everything that this profile kept. */
export async function signOut({ device, profile, voice }: Context): Promise<void> {
  await device.signOut()
  await device.close()
  profile.wipe()
  voice.answer({ json: { profile: profile.name }, lines: [`signed out; the profile ${profile.name} is empty now`] })
}

export async function whoami({ session, profile, voice }: SignedInContext): Promise<void> {
  const { me, device } = session
  voice.answer({
    json: { handle: me.handle, account: me.account, device, server: profile.server, profile: profile.name },
    lines: [`@${me.handle} on ${profile.server}`],
  })
}

/** Prints the sessions of the account, or ends the one whose id begins with `end`. */
export async function sessions({ device, voice }: SignedInContext, { end }: { end: string | undefined }): Promise<void> {
  const all = await device.sessions()
  if (end !== undefined) {
    const [found, ...others] = all.filter(({ session }) => session.startsWith(end))
    if (!found) throw new CliFailure('not_found', `There is no session “${end}”.`, 'See `tacit sessions`.')
    if (others.length > 0) throw new CliFailure('ambiguous', `“${end}” fits several sessions.`, 'Give more of the id.')
    await device.revokeSession({ session: found.session })
    return voice.answer({ json: { ended: found.session }, lines: [`ended ${found.session}`] })
  }
  voice.answer({
    json: all.map((one) => ({
      session: one.session,
      device: one.device,
      method: one.method,
      current: one.current,
      createdAt: new Date(one.createdAt).toISOString(),
      lastUsedAt: new Date(one.lastUsedAt).toISOString(),
    })),
    lines: all.map(
      (one) => `${one.session}  ${one.method.padEnd(8)}  last used ${dateAndTime(one.lastUsedAt)}${one.current ? '  (this one)' : ''}`,
    ),
  })
}
