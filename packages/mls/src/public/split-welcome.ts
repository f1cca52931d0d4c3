/** Taking a Welcome apart: each of those it is for gets what is encrypted to it, and nothing about the others. */
import type { Bytes } from '../port.ts'
import { hex } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { encode } from './codec.ts'
import { mlsMessageCodec, readMessage } from './message.ts'

/** One joiner's part of a Welcome (RFC 9420 section 12.4.3.1). */
export interface WelcomePart {
  /** The KeyPackageRef (RFC 9420 section 5.2) that it is for. */
  readonly ref: Bytes
  /** An encoded MLSMessage holding a Welcome with this one entry. */
  readonly bytes: Bytes
}

/** The parts of an encoded Welcome (RFC 9420 section 12.4.3.1), one for each joiner. Throws `invalid` when it has two for one key package. */
export const splitWelcome = (message: Bytes): { readonly suite: number; readonly parts: readonly WelcomePart[] } => {
  const { welcome } = readMessage(message, 'welcome')
  const refs = new Set(welcome.secrets.map(({ newMember }) => hex(newMember)))
  if (refs.size < welcome.secrets.length) throw new MlsError('invalid', 'two entries of a Welcome for one key package')
  const parts = welcome.secrets.map((entry) => ({
    ref: entry.newMember,
    bytes: encode(mlsMessageCodec, { kind: 'welcome', welcome: { ...welcome, secrets: [entry] } }),
  }))
  return { suite: welcome.suite, parts }
}
