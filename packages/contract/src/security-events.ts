/** What happened to an account: ways in, sessions, devices. Told to its owner alone. */
import { z } from 'zod'
import { DeviceId } from './ids.ts'
import { limits } from './limits.ts'
import { route } from './vocabulary.ts'

export const SecurityEventKind = z.enum([
  'account_made',
  'signed_in',
  /** Somebody tried with this handle and could not prove who they are; `times` of them within an hour. */
  'sign_in_failed',
  'signed_out',
  /** Ended from another session. */
  'session_ended',
  /** A refresh token came back after it was exchanged: two parties had it, so the session ended. */
  'session_stolen',
  'device_added',
  'device_removed',
  /** A password, passkey or recovery kit was added, or took the place of the one before. */
  'unlock_added',
  'unlock_removed',
  /** Begun anew with another account key: what was before is given up. */
  'account_reset',
])
export type SecurityEventKind = z.output<typeof SecurityEventKind>

export const securityEvents = {
  list: route({
    method: 'GET',
    path: '/v1/security-events',
    access: 'account',
    summary: 'What happened to my account, newest first; older than the position `before`',
    query: z.strictObject({
      before: z.coerce.number().int().min(1).optional(),
      limit: z.coerce.number().int().min(1).max(limits.securityEventsPage).default(50),
    }),
    result: z.object({
      events: z
        .array(
          z.object({
            position: z.int().min(1),
            kind: SecurityEventKind,
            /** The way of signing in. */
            method: z.string().max(16).nullable(),
            device: DeviceId.nullable(),
            times: z.int().min(1),
            at: z.iso.datetime(),
          }),
        )
        .max(limits.securityEventsPage),
    }),
    status: 200,
    failures: [],
  }),
}
