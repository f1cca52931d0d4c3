/**
 * Changes that this device wants, stored as what shall be true, not as a commit: a commit that loses its race is built
 * again from the intent, and an intent that became true meanwhile is dropped.
 */
import { AccountId, ConversationKind, decodeCbor, encodeCbor, type CborValue, type ConversationId } from '@tacit/contract'
import type { Role } from '../api.ts'
import { blob, integer } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'

export type Intent =
  | {
      readonly kind: 'create'
      readonly as: ConversationKind
      readonly peer: AccountId | undefined
      readonly groupInfo: Uint8Array
      readonly ratchetTree: Uint8Array
    }
  | { readonly kind: 'add'; readonly accounts: readonly AccountId[] }
  | { readonly kind: 'remove'; readonly account: AccountId }
  | { readonly kind: 'role'; readonly account: AccountId; readonly role: Role }
  /** Fresh keys of this device; `before` is when those were made that it had (rotation.ts). */
  | { readonly kind: 'rotate'; readonly before: number }
  | { readonly kind: 'leave' }

export type StoredIntent = Intent & { readonly position: number }

/** Returns its position, by which it is found again. */
export async function addIntent(
  writer: Writer,
  { conversation, intent }: { conversation: ConversationId; intent: Intent },
): Promise<number> {
  const fields = [conversation, intent.kind, encodeCbor(detailOf(intent))]
  await writer.run('insert into intent (conversation, kind, detail) values (?, ?, ?)', fields)
  const row = await writer.get('select max(position) as position from intent')
  return row ? integer(row, 'position') : 0
}

export async function nextIntent(reader: Reader, conversation: ConversationId): Promise<StoredIntent | undefined> {
  const row = await reader.get('select * from intent where conversation = ? order by position limit 1', [conversation])
  return row && readIntent(row)
}

export const eraseIntent = (writer: Writer, position: number): Promise<void> =>
  writer.run('delete from intent where position = ?', [position])

export async function hasIntent(
  reader: Reader,
  { conversation, kind }: { conversation: ConversationId; kind: Intent['kind'] },
): Promise<boolean> {
  const row = await reader.get('select 1 as found from intent where conversation = ? and kind = ?', [conversation, kind])
  return row !== undefined
}

function detailOf(intent: Intent): readonly CborValue[] {
  switch (intent.kind) {
    case 'create':
      return [intent.as, intent.peer ?? null, intent.groupInfo, intent.ratchetTree]
    case 'add':
      return [...intent.accounts]
    case 'remove':
      return [intent.account]
    case 'role':
      return [intent.account, intent.role]
    case 'rotate':
      return [intent.before]
    case 'leave':
      return []
  }
}

function readIntent(row: Row): StoredIntent {
  const detail = decodeCbor(blob(row, 'detail'))
  if (!Array.isArray(detail)) throw storeError('damaged')
  const position = integer(row, 'position')
  const [first, second, groupInfo, ratchetTree] = detail
  switch (row['kind']) {
    case 'create': {
      if (!(groupInfo instanceof Uint8Array && ratchetTree instanceof Uint8Array)) throw storeError('damaged')
      const peer = second === null ? undefined : AccountId.parse(second)
      return { position, kind: 'create', as: ConversationKind.parse(first), peer, groupInfo, ratchetTree }
    }
    case 'add':
      return { position, kind: 'add', accounts: detail.map((account) => AccountId.parse(account)) }
    case 'remove':
      return { position, kind: 'remove', account: AccountId.parse(first) }
    case 'role':
      return { position, kind: 'role', account: AccountId.parse(first), role: second === 'admin' ? 'admin' : 'member' }
    case 'rotate':
      return { position, kind: 'rotate', before: typeof first === 'number' ? first : 0 }
    case 'leave':
      return { position, kind: 'leave' }
    default:
      throw storeError('damaged')
  }
}
