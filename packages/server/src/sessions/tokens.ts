/**
 * Session tokens: 256 bits, known to the client alone. A renewed pair is derived from the refresh token that it replaces,
 * so a client that lost the answer gets the same pair again while nothing in clear is stored.
 */
import { createHash } from 'node:crypto'
import { toBase64Url } from '@tacit/contract'
import type { Random } from '../random.ts'
import type { Secrets } from '../secrets.ts'

export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
}

/** SHA-256: what the database has instead of a token. A token has too much entropy to be guessed from it. */
export const hashToken = (token: string): Uint8Array<ArrayBuffer> => new Uint8Array(createHash('sha256').update(token).digest())

export const freshPair = (random: Random): TokenPair => ({
  accessToken: toBase64Url(random.bytes(32)),
  refreshToken: toBase64Url(random.bytes(32)),
})

/** The only pair that can follow this refresh token. */
export const successorOf = (refreshToken: string, secrets: Secrets): TokenPair => ({
  accessToken: toBase64Url(secrets.derive('access token', refreshToken)),
  refreshToken: toBase64Url(secrets.derive('refresh token', refreshToken)),
})
