/**
 * Turns: routine commits (proposals that wait, fresh keys) are everybody's to make, and only one of each epoch is accepted.
 * So the server asks one device at a time. A courtesy: what decides is the epoch, and a device that is never asked goes on by
 * itself after a while.
 */
import { z } from 'zod'
import { ConversationId } from './ids.ts'
import { command, event } from './vocabulary.ts'

const position = z.int().min(0)

/** `tidy`: proposals wait, or something else that any commit settles. `update`: this device's own keys. `none`: not any more. */
export const TurnWork = z.enum(['tidy', 'update', 'none'])
export type TurnWork = z.output<typeof TurnWork>

export const turnCommands = {
  ask: command({
    code: 11,
    access: 'device',
    summary:
      'This device would commit routine work; `turns.yours` tells when. Forgotten with the socket, and by another commit if it was to tidy',
    body: z.object({ conversation: ConversationId, epoch: position, work: TurnWork }),
    result: z.object({}),
    failures: ['not_found'],
  }),
}

export const turnEvents = {
  yours: event({
    code: 10,
    summary: 'For so many seconds no other device is asked to commit in this conversation and epoch',
    body: z.object({ conversation: ConversationId, epoch: position, seconds: z.int().min(1).max(600) }),
  }),
}
