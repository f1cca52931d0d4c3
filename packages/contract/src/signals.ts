/** Signals: sealed, ephemeral, never in the log. A kept signal (a receipt) has one current value per device and conversation. Presence is the server's. */
import { z } from 'zod'
import { rawBytes } from './bytes.ts'
import { AccountId, ConversationId, DeviceId } from './ids.ts'
import { limits } from './limits.ts'
import { command, event } from './vocabulary.ts'

const position = z.int().min(0)

export const signalCommands = {
  send: command({
    code: 7,
    access: 'device',
    summary:
      'Passes a sealed signal to the members who are online; a kept one replaces this device’s last and is given to members when they resume',
    body: z.object({ conversation: ConversationId, epoch: position, keep: z.boolean(), bytes: rawBytes({ min: 1, max: limits.signal }) }),
    result: z.object({}),
    failures: ['not_found'],
  }),
}

export const signalEvents = {
  signal: event({
    code: 3,
    summary: 'A signal of another member device',
    body: z.object({
      conversation: ConversationId,
      sender: DeviceId,
      epoch: position,
      kept: z.boolean(),
      bytes: rawBytes({ max: limits.signal }),
    }),
  }),
  presence: event({
    code: 4,
    summary: 'Somebody I share a conversation with came or went; only when both of us share presence',
    body: z.object({ account: AccountId, online: z.boolean() }),
  }),
}
