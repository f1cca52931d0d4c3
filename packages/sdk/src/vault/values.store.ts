/** Values of the vault as this device has them: those of the server, and those it has changed and not brought there yet. */
import { decodeCbor, DeviceId, encodeCbor, type CborValue, type VaultPart } from '@tacit/contract'
import { blob, id, integer, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { later, type VaultValue } from './values.ts'

export type SharedPart = Exclude<VaultPart, 'keys'>
export const SHARED_PARTS = ['people', 'settings', 'places'] as const satisfies readonly SharedPart[]

/** `dirty`: not on the server. */
export interface StoredValue extends VaultValue {
  readonly dirty: boolean
}

export async function valuesOf(reader: Reader, part: SharedPart): Promise<readonly StoredValue[]> {
  return (await reader.all('select * from vault_value where part = ? order by name', [part])).map(readRow)
}

/** Whether something of it is not on the server. */
export async function owesAny(reader: Reader, part: SharedPart): Promise<boolean> {
  return (await reader.get('select 1 as found from vault_value where part = ? and dirty = 1 limit 1', [part])) !== undefined
}

/** Undefined when it is not there, or was removed. */
export async function valueOf(reader: Reader, part: SharedPart, name: string): Promise<CborValue | undefined> {
  return (await storedValue(reader, part, name))?.value
}

/** Values whose names begin so, without what was removed. */
export async function valuesUnder(reader: Reader, part: SharedPart, head: string): Promise<readonly VaultValue[]> {
  const rows = await reader.all('select * from vault_value where part = ? and name >= ? and name < ? and value is not null', [
    part,
    head,
    `${head}\u{10ffff}`,
  ])
  return rows.map(readRow)
}

async function storedValue(reader: Reader, part: SharedPart, name: string): Promise<StoredValue | undefined> {
  const row = await reader.get('select * from vault_value where part = ? and name = ?', [part, name])
  return row && readRow(row)
}

/** Set here and now. False when it is so already. */
export async function setValue(
  writer: Writer,
  part: SharedPart,
  given: { readonly name: string; readonly value: CborValue | undefined; readonly device: DeviceId; readonly day: number },
): Promise<boolean> {
  const before = await storedValue(writer, part, given.name)
  if (isSame(before?.value, given.value)) return false
  await save(writer, part, { ...given, counter: (before?.counter ?? 0) + 1, dirty: true })
  return true
}

/** What the server has takes the place of what it had; own changes that are not there yet stay when they are the later ones. */
export async function takeValues(writer: Writer, part: SharedPart, fromServer: readonly VaultValue[]): Promise<void> {
  const own = (await valuesOf(writer, part)).filter(({ dirty }) => dirty)
  await writer.run('delete from vault_value where part = ?', [part])
  for (const value of fromServer) await save(writer, part, { ...value, dirty: false })
  for (const mine of own) {
    const theirs = fromServer.find(({ name }) => name === mine.name)
    if (!theirs || (later(theirs, mine) === mine && !isSame(theirs.value, mine.value))) await save(writer, part, mine)
  }
}

/** These are on the server now, unless they were changed again meanwhile. */
export async function settleValues(writer: Writer, part: SharedPart, told: readonly VaultValue[]): Promise<void> {
  for (const { name, counter } of told)
    await writer.run('update vault_value set dirty = 0 where part = ? and name = ? and counter = ?', [part, name, counter])
}

/** The server lost them: they have to be brought there again. */
export const unsettleValues = (writer: Writer, part: SharedPart): Promise<void> =>
  writer.run('update vault_value set dirty = 1 where part = ?', [part])

const save = (writer: Writer, part: SharedPart, { name, value, counter, device, day, dirty }: StoredValue): Promise<void> =>
  writer.run(
    `insert into vault_value (part, name, value, counter, device, day, dirty) values (?, ?, ?, ?, ?, ?, ?)
     on conflict (part, name) do update set value = excluded.value, counter = excluded.counter, device = excluded.device,
       day = excluded.day, dirty = excluded.dirty`,
    [part, name, value === undefined ? null : encodeCbor(value), counter, device, day, dirty ? 1 : 0],
  )

const isSame = (one: CborValue | undefined, other: CborValue | undefined): boolean =>
  one === undefined || other === undefined ? one === other : encodeCbor(one).join() === encodeCbor(other).join()

const readRow = (row: Row): StoredValue => ({
  name: text(row, 'name'),
  value: row['value'] === null ? undefined : decodeCbor(blob(row, 'value')),
  counter: integer(row, 'counter'),
  device: id(row, 'device', DeviceId),
  day: integer(row, 'day'),
  dirty: row['dirty'] === 1,
})
