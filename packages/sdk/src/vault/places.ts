/**
 * Where a person is: how far they have read, what they have typed and not sent, and when each of their devices was last in use. In the
 * vault's part `places`.
 *
 * Names of values: `read/<conversation>` position · `draft/<conversation>` text · `active/<device>` day since 1970.
 */
import { ConversationId, DeviceId } from '@tacit/contract'
import type { Reader } from '../local-store/driver.ts'
import { DAY_MS, GROWING } from './values.ts'
import { valueOf, valuesUnder } from './values.store.ts'

const ACTIVE = 'active/'

export const readOf = (conversation: ConversationId) => `${GROWING}${conversation}`
export const activeOf = (device: DeviceId) => `${ACTIVE}${device}`
export const draftOf = (conversation: ConversationId) => `draft/${conversation}`

/** Bytes; what is longer is cut when it is saved. */
export const LONGEST_DRAFT = 16 * 1024

/** Undefined when there is none. */
export async function loadDraft(reader: Reader, conversation: ConversationId): Promise<string | undefined> {
  const value = await valueOf(reader, 'places', draftOf(conversation))
  return typeof value === 'string' ? value : undefined
}

/** How far own devices have read in a conversation; undefined when none has said. */
export async function readPlace(reader: Reader, conversation: ConversationId): Promise<number | undefined> {
  const value = await valueOf(reader, 'places', readOf(conversation))
  return typeof value === 'number' ? value : undefined
}

/** How far own devices have read, by conversation. */
export async function readPlaces(reader: Reader): Promise<readonly { readonly conversation: ConversationId; readonly seq: number }[]> {
  const values = await valuesUnder(reader, 'places', GROWING)
  return values.flatMap(({ name, value }) => {
    const conversation = ConversationId.safeParse(name.slice(GROWING.length)).data
    return conversation && typeof value === 'number' ? [{ conversation, seq: value }] : []
  })
}

/** When each own device was last in use, in milliseconds, to the day. */
export async function activeDevices(reader: Reader): Promise<ReadonlyMap<DeviceId, number>> {
  const values = await valuesUnder(reader, 'places', ACTIVE)
  return new Map(
    values.flatMap(({ name, value }): [DeviceId, number][] => {
      const device = DeviceId.safeParse(name.slice(ACTIVE.length)).data
      return device && typeof value === 'number' ? [[device, value * DAY_MS]] : []
    }),
  )
}

/** The conversation that a value is about; undefined for one that is about a device. */
export const placeOf = (name: string): ConversationId | undefined =>
  name.startsWith(ACTIVE) ? undefined : ConversationId.safeParse(name.split('/').at(-1)).data
