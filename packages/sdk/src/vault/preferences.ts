/** Choices of a person for all own devices. In the vault's part `settings`, by name. */
import type { Reader } from '../local-store/driver.ts'
import { valuesUnder } from './values.store.ts'

/** Whether they share presence. The server knows it as well, because it has to act on it; this tells the other devices. */
export const PRESENCE = 'presence'

export async function loadPreferences(reader: Reader): Promise<Readonly<Record<string, string>>> {
  const values = await valuesUnder(reader, 'settings', '')
  return Object.fromEntries(values.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value]] : [])))
}
