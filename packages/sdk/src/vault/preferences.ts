/** Choices of a person for all own devices. In the vault's part `settings`, by name. */
import type { Reader } from '../local-store/driver.ts'
import { valuesUnder } from './values.store.ts'

/** Whether they share presence. The server knows it as well, because it has to act on it; this tells the other devices. */
export const PRESENCE = 'presence'

export async function loadPreferences(reader: Reader): Promise<Readonly<Record<string, string>>> {
  const values = await valuesUnder(reader, 'settings', '')
  return Object.fromEntries(values.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value]] : [])))
}

/** After how many days without use a device is taken off the account; a number as text. */
export const IDLE_DAYS = { name: 'idleDays', least: 14, usual: 45, most: 90 } as const

export async function idleDaysChosen(reader: Reader): Promise<number> {
  const { [IDLE_DAYS.name]: chosen } = await loadPreferences(reader)
  const days = Number(chosen ?? IDLE_DAYS.usual)
  return Number.isInteger(days) ? Math.min(IDLE_DAYS.most, Math.max(IDLE_DAYS.least, days)) : IDLE_DAYS.usual
}
