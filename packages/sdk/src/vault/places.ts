/**
 * Where a person is: how far they have read, and what they have typed and not sent. In the vault's part `places`.
 *
 * Names of values: `read/<conversation>` position · `draft/<conversation>` text.
 */
import { ConversationId } from '@tacit/contract'
import type { Reader } from '../local-store/driver.ts'
import { GROWING } from './values.ts'
import { valueOf, valuesUnder } from './values.store.ts'

export const readOf = (conversation: ConversationId) => `${GROWING}${conversation}`
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
