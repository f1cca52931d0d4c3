/** Prints what happened to this account, newest first. */
import type { SecurityEventInfo } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { dateAndTime } from '../terminal/when.ts'

/** All that the server has kept; it forgets after a year. */
export async function events({ device, voice }: SignedInContext): Promise<void> {
  const names = new Map((await device.devices()).map((one) => [one.device, one.name]))
  const all: SecurityEventInfo[] = []
  for (;;) {
    const last = all.at(-1)
    const more = await device.securityEvents(last ? { before: last.position } : {})
    all.push(...more)
    if (more.length === 0) break
  }
  voice.answer({ json: all, lines: all.map((one) => `${dateAndTime(one.time)}  ${asWords(one, names)}`) })
}

function asWords({ kind, method, device, times }: SecurityEventInfo, names: ReadonlyMap<string, string>): string {
  const what = kind.replaceAll('_', ' ')
  const how = method === undefined ? '' : ` by ${method}`
  const where = device === undefined ? '' : ` (${names.get(device) || device})`
  return `${what}${how}${where}${times > 1 ? `, ${times} times` : ''}`
}
