/** What a client may ask before it signs in. */
import { z } from 'zod'
import { limits } from './limits.ts'
import { route } from './vocabulary.ts'

export const system = {
  describe: route({
    method: 'GET',
    path: '/v1/server',
    access: 'anyone',
    summary: 'Name, contract version and ways to sign in',
    result: z.object({
      name: z.string().max(64),
      contract: z.int().min(1),
      oldestContract: z.int().min(1),
      signIn: z.array(z.enum(['password', 'passkey'])).max(4),
      retentionDays: z.int().min(1),
      maxMembers: z.int().min(2).max(limits.membersPerConversation),
    }),
    status: 200,
    failures: [],
  }),
  live: route({
    method: 'GET',
    path: '/health/live',
    access: 'anyone',
    summary: 'The process answers',
    result: z.object({ status: z.literal('ok') }),
    status: 200,
    failures: [],
  }),
  ready: route({
    method: 'GET',
    path: '/health/ready',
    access: 'anyone',
    summary:
      'The server can accept messages: database writable and durable, disk not short; degraded when it can, but is slow to hear of other servers',
    result: z.object({ status: z.enum(['ok', 'degraded', 'not_ready']), reasons: z.array(z.string().max(200)).max(16) }),
    status: 200,
    failures: [],
  }),
}
