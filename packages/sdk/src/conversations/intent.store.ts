/**
 * Changes that this device wants, stored as what shall be true, not as a commit: a commit that loses its race is built
 * again from the intent, and an intent that became true meanwhile is dropped.
 */
import { AccountId, ConversationId, ConversationKind, decodeCbor, encodeCbor, type CborValue } from '@tacit/contract'
import type { Role } from '../api.ts'
import { blob, id, integer } from '../local-store/columns.ts'
import type { Reader, Row, StoreDriver, Writer } from '../local-store/driver.ts'
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

/** Connected for so long (ms), a removal that is still not in the log is late. */
export const LATE = 60_000

/** Returns its position, by which it is found again. `now` in milliseconds. */
export async function addIntent(
  writer: Writer,
  { conversation, intent, now }: { conversation: ConversationId; intent: Intent; now: number },
): Promise<number> {
  const fields = [conversation, intent.kind, encodeCbor(detailOf(intent)), now]
  await writer.run('insert into intent (conversation, kind, detail, asked) values (?, ?, ?, ?)', fields)
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

/** People who are to go and are not gone; `asked` in milliseconds. */
export async function waitingRemovals(
  reader: Reader,
  conversation: ConversationId,
): Promise<readonly { readonly account: AccountId; readonly asked: number; readonly late: boolean }[]> {
  const sql = "select * from intent where conversation = ? and kind = 'remove' order by position"
  return (await reader.all(sql, [conversation])).flatMap((row) => {
    const intent = readIntent(row)
    return intent.kind === 'remove' ? [{ account: intent.account, asked: integer(row, 'asked'), late: integer(row, 'waited') >= LATE }] : []
  })
}

/** This device was connected for so much longer: removals that were not late before, and for how long they have waited like that now. */
export async function countWaiting(
  store: StoreDriver,
  { passed, now }: { readonly passed: number; readonly now: number },
): Promise<readonly { readonly conversation: ConversationId; readonly waited: number }[]> {
  const sql = "select position, conversation, asked, waited from intent where kind = 'remove' and waited < ?"
  return store.transaction(async (writer) => {
    const waiting = (await writer.all(sql, [LATE])).map((row) => ({
      position: integer(row, 'position'),
      conversation: id(row, 'conversation', ConversationId),
      waited: integer(row, 'waited') + Math.max(0, Math.min(passed, now - integer(row, 'asked'))),
    }))
    for (const { position, waited } of waiting) await writer.run('update intent set waited = ? where position = ?', [waited, position])
    return waiting
  })
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
