/** Reads columns of a row as what the schema says they are. A row that says otherwise is a damaged database. */
import type { Row } from './driver.ts'
import { storeError } from './failure.ts'

export function text(row: Row, name: string): string {
  const value = row[name]
  if (typeof value !== 'string') throw storeError('damaged')
  return value
}

export function optionalText(row: Row, name: string): string | undefined {
  return row[name] === null ? undefined : text(row, name)
}

export function integer(row: Row, name: string): number {
  const value = row[name]
  if (typeof value !== 'number') throw storeError('damaged')
  return value
}

export function blob(row: Row, name: string): Uint8Array<ArrayBuffer> {
  const value = row[name]
  if (!(value instanceof Uint8Array)) throw storeError('damaged')
  return new Uint8Array(value)
}

export function optionalBlob(row: Row, name: string): Uint8Array<ArrayBuffer> | undefined {
  return row[name] === null ? undefined : blob(row, name)
}

/** A brand's own parser, for ids that this device stored. */
export function id<T>(row: Row, name: string, kind: { parse(text: string): T }): T {
  try {
    return kind.parse(text(row, name))
  } catch (error) {
    throw storeError('damaged', error)
  }
}
