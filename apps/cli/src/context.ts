/** What a command works with: a profile's open device, a voice and the world, all let go of when it ends. */
import { openDevice } from '@tacit/sdk/node'
import { MessengerError } from '@tacit/sdk'
import type { ConnectionState, ConversationSummary, Live, SessionState, Trouble } from '@tacit/sdk'
import { CliFailure } from './failures.ts'
import { openProfile } from './profile/profile.ts'
import type { Profile } from './profile/profile.ts'
import { isExposed } from './profile/server.ts'
import { soon, until } from './terminal/until.ts'
import type { Voice } from './terminal/voice.ts'
import type { Stop, World } from './world.ts'

export interface GlobalOptions {
  readonly profile: string
  readonly home?: string
  readonly server?: string
  readonly json: boolean
}

export type Device = Awaited<ReturnType<typeof openDevice>>
export type SignedIn = Extract<SessionState, { kind: 'signed_in' }>

export interface Context {
  readonly device: Device
  readonly profile: Profile
  readonly voice: Voice
  readonly world: World
}

export interface SignedInContext extends Context {
  readonly session: SignedIn
}

/** A server that has not answered by then is treated as not reachable, ms. */
const PATIENCE = 15_000

/** How long a command waits at its end until its lines are in the archive, ms. */
const INTO_THE_ARCHIVE = 5_000

/**
 * Opens the profile's device, runs the command, and closes the device whatever happens. A stop signal ends the wait for it.
 * The command begins before anything from the server can have arrived.
 */
export async function withDevice(
  { options, voice, world }: { options: GlobalOptions; voice: Voice; world: World },
  command: (context: Context) => Promise<void>,
): Promise<void> {
  using profile = openProfile({ ...options, env: world.env })
  if (isExposed(profile.server)) voice.notice(`${profile.server} is not encrypted on the way; use https:// outside of your own machine.`)
  const device = await openDevice({ server: profile.server, store: profile.database })
  try {
    await Promise.race([command({ device, profile, voice, world }), stopped(world.stop)])
  } finally {
    await device.close()
  }
}

/** The session of a device that is signed in. Throws what tells the person to sign in. */
export async function signedIn(context: Context): Promise<SignedInContext> {
  const { device, world } = context
  const session = await until(device.watch('session'), (state) => (state.kind === 'starting' ? undefined : state), world.stop)
  if (session.kind === 'signed_in') return { ...context, session }
  if (session.kind === 'session_ended') throw new MessengerError('session_ended', `The session of @${session.me.handle} has ended.`)
  throw new MessengerError('not_signed_in', `The profile ${context.profile.name} is not signed in.`)
}

/** Says that a device joined the account, until the person has said that they know. */
export async function sayIfDevicesAreNew(context: Context): Promise<void> {
  const joined = await shown(context.device.watch('newDevices'), context)
  if (joined.length > 0)
    context.voice.notice('A new device has joined your account. See `tacit devices`; with --seen you say that you know.')
}

/** What the device shows of a topic. Throws what keeps it from being read. */
export async function shown<T>(live: Live<T | undefined>, { device, world }: Pick<Context, 'device' | 'world'>): Promise<T> {
  const trouble = device.watch('trouble')
  const either: Live<T | Trouble | undefined> = {
    get: () => live.get() ?? trouble.get(),
    subscribe(listener) {
      const stops = [live.subscribe(listener), trouble.subscribe(listener)]
      return () => stops.forEach((stop) => stop())
    },
  }
  await soon(either, (snapshot) => snapshot, { stop: world.stop, patience: PATIENCE })
  const value = live.get()
  if (value !== undefined) return value
  const { failure, message } = trouble.get() ?? { failure: 'storage', message: 'The local database cannot be read.' }
  throw new MessengerError(failure, message)
}

/** Waits until the device has everything that the server has. False, with a notice, when the server cannot be reached. */
export async function catchUp({ device, voice, world }: Pick<Context, 'device' | 'voice' | 'world'>): Promise<boolean> {
  const connection = device.watch('connection')
  const reached = await soon(connection, ({ kind }) => reachable[kind], { stop: world.stop, patience: PATIENCE })
  if (!reached) voice.notice('The server is not reachable; this is what is on this device.')
  return reached ?? false
}

const reachable: Record<ConnectionState['kind'], boolean | undefined> = {
  connecting: undefined,
  catching_up: undefined,
  online: true,
  waiting: false,
  offline: false,
}

/**
 * What a device that works for a moment only still has to do before it goes: let out the messages that wait, those of
 * earlier commands too, and after a change of a conversation also what it owes the others, such as the title to those who
 * came, the removal of those who left, and receipts. Others would wait for our next time without it. And what is on this device
 * alone goes into the archive, so that it is not lost with the device.
 */
export async function finish({ device, world }: Context, { changed }: { changed: boolean }): Promise<void> {
  if (device.watch('connection').get().kind !== 'online') return
  const sent = (all: readonly ConversationSummary[] | undefined) => all?.every(({ last }) => last?.state?.kind !== 'sending') || undefined
  await soon(device.watch('conversations'), sent, { stop: world.stop, patience: PATIENCE })
  if (changed) await device.settle({ within: PATIENCE })
  else await device.settle({ within: INTO_THE_ARCHIVE, only: 'archive' })
}

/** Turns a stop signal's reason into the failure that ends a command. */
export function explainStop(reason: Stop): CliFailure {
  return reason === 'SIGTERM' || reason === 'SIGHUP'
    ? new CliFailure('terminated', 'Terminated.')
    : new CliFailure('interrupted', 'Interrupted.')
}

function stopped(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason))
    if (stop.aborted) reject(stop.reason)
  })
}
