/**
 * Which notices are history, the same for everybody who was there, and so worth archiving: who came and went, and what the
 * conversation was called. What one device found out about itself or the server stays on that device.
 */
import { AccountId, ConversationId } from '@tacit/contract'
import type { StoredNotice } from '../messages/items.store.ts'

type Field = 'account' | 'title' | 'role' | 'conversation'

/** Kinds that are archived, and what belongs to each. */
const FIELDS: Readonly<Partial<Record<StoredNotice['kind'], Readonly<Record<string, Field>>>>> = {
  created: { by: 'account' },
  joined: { person: 'account', by: 'account' },
  removed: { person: 'account', by: 'account' },
  left: { person: 'account' },
  renamed: { title: 'title', by: 'account' },
  role_changed: { person: 'account', role: 'role', by: 'account' },
  continued: { by: 'account', conversation: 'conversation' },
  continues: { by: 'account', conversation: 'conversation' },
  device_joined: { person: 'account' },
  device_removed: { person: 'account' },
}

/** A notice that is worth archiving; undefined for others, and for what is none. */
export function readStoredNotice(detail: string): StoredNotice | undefined {
  const value = parseJson(detail)
  if (typeof value !== 'object' || value === null) return undefined
  const given = new Map<string, unknown>(Object.entries(value))
  const fields = Object.entries(FIELDS).find(([kind]) => kind === given.get('kind'))?.[1]
  if (!fields || given.size !== Object.keys(fields).length + 1) return undefined
  const sound = Object.entries(fields).every(([name, field]) => isSound(field, given.get(name)))
  // Every field was just compared with what its kind says.
  return sound ? (value as StoredNotice) : undefined
}

/** Whom a notice speaks of. */
export const peopleIn = (notice: StoredNotice): readonly AccountId[] =>
  Object.entries(notice).flatMap(([name, value]) => (name === 'person' || name === 'by' ? [AccountId.parse(value)] : []))

function isSound(field: Field, value: unknown): boolean {
  if (field === 'account') return AccountId.safeParse(value).success
  if (field === 'conversation') return ConversationId.safeParse(value).success
  return field === 'title' ? typeof value === 'string' : value === 'admin' || value === 'member'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
