/** Linking: this profile shows a code for another device of the person to bring, or brings the code that another one shows. */
import { hostname } from 'node:os'
import { createInterface } from 'node:readline'
import type { LinkingState, LinkOver } from '@tacit/sdk'
import type { Context, SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { until } from '../terminal/until.ts'
import { COMING_IN } from './account.ts'
import { readPassword } from './password.ts'
import { terminalQr } from './terminal-qr.ts'

type Over = Extract<LinkingState, { kind: 'over' }>

/** Makes this profile a device of an account: shows a code, then six digits, and waits to be let in. */
export async function showCode(
  { device, profile, voice, world }: Context,
  { deviceName }: { deviceName: string | undefined },
): Promise<void> {
  const session = device.watch('session').get()
  if (session.kind === 'signed_in')
    throw new CliFailure('signed_in_already', `The profile ${profile.name} is signed in as @${session.me.handle}.`)
  const next = (kinds: readonly LinkingState['kind'][]) =>
    until(device.watch('linking'), (state) => (state.kind === 'over' || kinds.includes(state.kind) ? state : undefined), world.stop)
  await device.beginLinking({ deviceName: deviceName ?? `terminal on ${hostname()}` })
  const shown = await next(['showing', 'comparing'])
  if (shown.kind === 'over') throw failureOf(shown)
  if (shown.kind === 'showing') {
    const { code, qr } = shown
    voice.answer({
      json: { event: 'code', code, qr },
      lines: [...terminalQr(qr), code, '', 'On a device of yours: Settings, Link a new device. Or: tacit link <code>'],
    })
  }
  const compared = await next(['comparing'])
  if (compared.kind === 'over') throw failureOf(compared)
  if (compared.kind === 'comparing' && compared.side === 'new') {
    const { digits, handle } = compared
    voice.answer({
      json: { event: 'compare', digits, handle },
      lines: [`${spaced(digits)}  if the device of @${handle} shows the same, confirm it there`],
    })
  }
  const outcome = await Promise.race([
    until(device.watch('linking'), (state) => (state.kind === 'over' ? state : undefined), world.stop),
    until(device.watch('session'), (state) => (state.kind === 'signed_in' ? state : undefined), world.stop),
  ])
  if (outcome.kind === 'over') throw failureOf(outcome)
  profile.keep()
  await device.settle({ within: COMING_IN })
  voice.answer({
    json: { event: 'linked', handle: outcome.me.handle, server: profile.server, profile: profile.name },
    lines: [`signed in as @${outcome.me.handle} on ${profile.server}`],
  })
}

/** Lets a new device in: proves who is here, brings its code, and asks whether both show the same digits. */
export async function bringCode({ device, voice, world }: SignedInContext, { code }: { code: string }): Promise<void> {
  const { provedFor } = await device.proofState()
  if (provedFor < 60) await device.proveByPassword({ password: await readPassword({ world, fromStdin: false, isNew: false }) })
  await device.claimLink({ code })
  const state = device.watch('linking').get()
  if (state.kind === 'over') throw failureOf(state)
  if (state.kind !== 'comparing') throw new CliFailure('interrupted', 'The link is over.')
  voice.answer({
    json: { event: 'compare', digits: state.digits },
    lines: [`${spaced(state.digits)}  does the new device show the same? Type yes, or anything else to cancel:`],
  })
  if ((await readLine(world.stdin)).trim().toLowerCase() !== 'yes') {
    await device.cancelLinking({ different: true })
    throw new CliFailure('interrupted', 'Cancelled; nobody was let in.')
  }
  await device.approveLink()
  const end = device.watch('linking').get()
  if (end.kind === 'over') throw failureOf(end)
  voice.answer({ json: { event: 'linked' }, lines: ['the new device is in'] })
}

const spaced = (digits: string): string => `${digits.slice(0, 3)} ${digits.slice(3)}`

const sentences: Readonly<Record<LinkOver, string>> = {
  expired: 'That took too long.',
  used: 'This code was used already.',
  wrong_code: 'There is no such code.',
  other_server: 'This code is for another server.',
  cancelled_here: 'Cancelled.',
  cancelled_there: 'The other device has cancelled.',
  different: 'Cancelled, because the digits differed.',
  tampered: 'What came does not fit what was promised: somebody stands between the devices. Nobody was let in.',
  too_many_tries: 'Too many tries. Wait ten minutes.',
  too_many_devices: 'The account has as many devices as it can have. Remove one first.',
  failed: 'It did not work.',
}

const failureOf = ({ why }: Over): CliFailure => new CliFailure(why === 'tampered' ? 'not_sound' : 'not_linked', sentences[why])

async function readLine(stdin: NodeJS.ReadStream): Promise<string> {
  const lines = createInterface(stdin)
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
  }
}
