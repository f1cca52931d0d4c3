/** The devices of the account: which they are, another name for one, one less, and knowing about a new one. */
import { MessengerError, type DeviceInfo } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'
import { dateAndTime } from '../terminal/when.ts'
import { readPassword } from './password.ts'

export interface DevicesRequest {
  /** An id or its beginning. */
  readonly remove: string | undefined
  readonly rename: string | undefined
  readonly name: string | undefined
  readonly seen: boolean
  readonly idleDays: number | undefined
}

export async function devices(context: SignedInContext, request: DevicesRequest): Promise<void> {
  const { device, voice } = context
  const all = await device.devices()
  const { remove, rename, name, seen, idleDays } = request
  if (remove !== undefined) return removeDevice(context, mustFind(all, remove))
  if (rename !== undefined) {
    if (name === undefined) throw new CliFailure('usage', 'A new name is needed.', 'Give it with --name.')
    const found = mustFind(all, rename)
    await device.nameDevice({ device: found.device, name })
    return voice.answer({ json: { device: found.device, name }, lines: [`${found.device} is called ${name} now`] })
  }
  if (idleDays !== undefined) {
    if (idleDays < 14 || idleDays > 90) throw new CliFailure('usage', 'It must be 14 to 90 days.')
    await device.setPreference({ name: 'idleDays', value: String(idleDays) })
    return voice.answer({ json: { idleDays }, lines: [`devices go when they were not used for ${idleDays} days`] })
  }
  if (seen) await device.acknowledgeDevices()
  voice.answer({ json: all.map(asJson), lines: all.map(asLine) })
}

async function removeDevice({ device, voice, world }: SignedInContext, { device: gone, name }: DeviceInfo): Promise<void> {
  try {
    await device.removeDevice({ device: gone })
  } catch (error) {
    if (!(error instanceof MessengerError) || error.failure !== 'proof_needed') throw error
    await device.proveByPassword({ password: await readPassword({ world, fromStdin: false, isNew: false }) })
    await device.removeDevice({ device: gone })
  }
  voice.answer({ json: { removed: gone }, lines: [`removed ${gone} ${name}`] })
}

function mustFind(all: readonly DeviceInfo[], beginning: string): DeviceInfo {
  const [found, ...others] = all.filter(({ device }) => device.startsWith(beginning))
  if (!found) throw new CliFailure('not_found', `There is no device “${beginning}”.`, 'See `tacit devices`.')
  if (others.length > 0) throw new CliFailure('ambiguous', `“${beginning}” fits several devices.`, 'Give more of the id.')
  return found
}

const asJson = ({ device, name, current, notAfter, lastUsedAt }: DeviceInfo) => ({
  device,
  name,
  current,
  notAfter: new Date(notAfter).toISOString(),
  ...(lastUsedAt !== undefined && { lastUsedAt: new Date(lastUsedAt).toISOString() }),
})

function asLine({ device, name, current, lastUsedAt, notAfter }: DeviceInfo): string {
  const used = lastUsedAt === undefined ? 'not signed in' : `last used ${dateAndTime(lastUsedAt)}`
  return `${device}  ${used}  valid until ${dateAndTime(notAfter)}  ${name}${current ? ' (this one)' : ''}`
}
