/** The newest lists of the own account as they were signed, each with the server's proof that it had it. */
import { blob, integer } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'

export interface OwnList {
  readonly version: number
  /** SHA-256. */
  readonly hash: Uint8Array
  readonly list: Uint8Array
  readonly proof: Uint8Array
}

/** More versions than an account has between two backups. */
const KEPT = 32

/** A later proof of a list takes the place of an earlier one. */
export async function keepOwnList(writer: Writer, { version, hash, list, proof }: OwnList): Promise<void> {
  await writer.run('insert or replace into own_list (version, hash, list, proof) values (?, ?, ?, ?)', [version, hash, list, proof])
  await writer.run('delete from own_list where version <= ?', [version - KEPT])
}

export async function ownList(reader: Reader, version: number): Promise<OwnList | undefined> {
  const row = await reader.get('select * from own_list where version = ?', [version])
  return row && { version, hash: blob(row, 'hash'), list: blob(row, 'list'), proof: blob(row, 'proof') }
}

/** 0 for none. */
export async function newestOwnVersion(reader: Reader): Promise<number> {
  const row = await reader.get('select max(version) as version from own_list')
  return row?.['version'] == null ? 0 : integer(row, 'version')
}
