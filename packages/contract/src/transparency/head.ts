/** A head of the log: how long it is and its root, signed by the server. Two heads that cannot both be true convict it. */
import { z } from 'zod'
import { rawBytes } from '../bytes.ts'
import { encodeCbor, type CborValue } from '../cbor.ts'
import { isSignedBy, parseCbor, signedBytes, type Sign } from '../signed.ts'
import type { LogState } from './log-tree.ts'

const LABEL = 'tacit transparency head v1'

/** `time`: milliseconds since 1970, when the newest entry was made. */
export interface LogHead extends LogState {
  /** The log's Ed25519 key. */
  readonly key: Uint8Array
  readonly time: number
}

const HeadArray = z.tuple([
  rawBytes({ min: 32, max: 32 }),
  z.int().min(0),
  rawBytes({ min: 32, max: 32 }),
  z.int().min(0),
  rawBytes({ min: 64, max: 64 }),
])

/** The most bytes of an encoded head. */
export const LONGEST_HEAD = 192

/** Signs a head and encodes it (about 150 bytes). */
export async function signHead(head: LogHead, sign: Sign): Promise<Uint8Array<ArrayBuffer>> {
  const fields = fieldsOf(head)
  return encodeCbor([...fields, await sign(signedBytes(LABEL, fields))])
}

/** The head, if it is canonical and signed by the key that it names; whose key that is, is for the caller. */
export async function readHead(bytes: Uint8Array): Promise<LogHead | undefined> {
  const parsed = bytes.length <= LONGEST_HEAD ? parseCbor(HeadArray, bytes) : undefined
  if (!parsed) return undefined
  const [key, size, root, time, signature] = parsed
  const head = { key, size, root, time }
  return (await isSignedBy({ key, signature, message: signedBytes(LABEL, fieldsOf(head)) })) ? head : undefined
}

const fieldsOf = ({ key, size, root, time }: LogHead): CborValue[] => [key, size, root, time]
