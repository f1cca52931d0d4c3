/** The socket itself: one per device, authenticated by its first frame, renewed in place. */
import { z } from 'zod'
import { AccountId, DeviceId } from './ids.ts'
import { command, event } from './vocabulary.ts'

const token = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** WebSocket subprotocol that a client must offer. */
export const SUBPROTOCOL = 'tacit.v1'

/** Path of the socket. */
export const SOCKET_PATH = '/v1/socket'

/** Close codes of the server (the 4000 range is the application's, RFC 6455 section 7.4.2). */
export const closeCodes = {
  malformed: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  tooSlow: 4008,
  replaced: 4409,
  clientTooOld: 4426,
  flooding: 4429,
  shuttingDown: 1012,
} as const

export const connectionCommands = {
  hello: command({
    code: 1,
    access: 'anyone',
    summary: 'First frame of every socket: who I am and which contract I speak',
    body: z.object({ accessToken: token, contract: z.int().min(1).max(100_000) }),
    result: z.object({ account: AccountId, device: DeviceId, contract: z.int().min(1), time: z.int().min(0), expiresIn: z.int().min(0) }),
    failures: ['client_too_old'],
  }),
  renew: command({
    code: 2,
    access: 'device',
    summary: 'A fresh access token for a socket that is open',
    body: z.object({ accessToken: token }),
    result: z.object({ expiresIn: z.int().min(0) }),
    failures: [],
  }),
}

export const connectionEvents = {
  ending: event({
    code: 6,
    summary: 'The socket will close in `seconds`: renew the token (expiring), reconnect elsewhere (draining), or sign in (revoked)',
    body: z.object({ reason: z.enum(['expiring', 'draining', 'revoked']), seconds: z.int().min(0) }),
  }),
}
