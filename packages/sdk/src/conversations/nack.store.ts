/** NACKs: the commit that this device could not process and still has to report, and the devices that have reported one. */
import { AccountId, DeviceId, type ConversationId } from '@tacit/contract'
import { blob, id, integer } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'

/** A commit as this device was given it. */
export interface OwedNack {
  readonly seq: number
  /** SHA-256 of its bytes. */
  readonly hash: Uint8Array
}

export const oweNack = (writer: Writer, { conversation, seq, hash }: OwedNack & { readonly conversation: ConversationId }): Promise<void> =>
  writer.run('insert or replace into nack_owed (conversation, seq, hash) values (?, ?, ?)', [conversation, seq, hash])

export async function owedNack(reader: Reader, conversation: ConversationId): Promise<OwedNack | undefined> {
  const row = await reader.get('select seq, hash from nack_owed where conversation = ?', [conversation])
  return row && { seq: integer(row, 'seq'), hash: blob(row, 'hash') }
}

/** It is said, or does not matter any more. */
export const eraseOwedNack = (writer: Writer, conversation: ConversationId): Promise<void> =>
  writer.run('delete from nack_owed where conversation = ?', [conversation])

interface Stranded {
  readonly account: AccountId
  readonly device: DeviceId
}

export const addStranded = (
  writer: Writer,
  { conversation, account, device }: Stranded & { readonly conversation: ConversationId },
): Promise<void> =>
  writer.run('insert or replace into stranded (conversation, device, account) values (?, ?, ?)', [conversation, device, account])

/** Devices of members that could not follow and have not come back. */
export async function strandedDevices(reader: Reader, conversation: ConversationId): Promise<readonly Stranded[]> {
  const rows = await reader.all('select account, device from stranded where conversation = ? order by device', [conversation])
  return rows.map((row) => ({ account: id(row, 'account', AccountId), device: id(row, 'device', DeviceId) }))
}

export const eraseStranded = (
  writer: Writer,
  { conversation, device }: { readonly conversation: ConversationId; readonly device: DeviceId },
): Promise<void> => writer.run('delete from stranded where conversation = ? and device = ?', [conversation, device])
