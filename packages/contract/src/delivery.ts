/**
 * The log of a conversation and its delivery. The order of the exchange on a socket:
 *
 *   device: hello, then resume (possibly empty)      server: welcomes, then entries from the cursors, then caught_up
 *   device: send / commit, answered one by one       server: entries as they are accepted, own ones too
 *   device: acknowledge after it stored them         server: goes on when the window has room
 *
 * Entries of one conversation come in seq order without gaps. The log is the truth: a socket that closes loses nothing.
 */
import { z } from 'zod'
import { jsonBytes, rawBytes } from './bytes.ts'
import { ConversationId, DeviceId } from './ids.ts'
import { limits } from './limits.ts'
import { command, event, route } from './vocabulary.ts'

export const EntryKind = z.enum(['message', 'commit', 'proposal', 'nack'])
export type EntryKind = z.output<typeof EntryKind>

const position = z.int().min(0)
const hash = rawBytes({ min: 32, max: 32 })

const entryFields = {
  seq: z.int().min(1),
  /** The epoch that the entry belongs to; a commit belongs to the epoch that it ends. */
  epoch: position,
  kind: EntryKind,
  sender: DeviceId,
  clientSeq: z.int().min(1),
  /** Milliseconds since 1970 by the server's clock; for display only. */
  time: position,
}

/** One entry in a frame. */
export const Entry = z.object({ ...entryFields, bytes: rawBytes({ max: limits.commit }) })
export type Entry = z.output<typeof Entry>

const cursors = z.array(z.object({ conversation: ConversationId, seq: position })).max(limits.cursorsPerFrame)

const after = z.coerce.number().int().min(0)

export const delivery = {
  entries: route({
    method: 'GET',
    path: '/v1/conversations/:conversation/entries',
    access: 'device',
    summary: 'Entries after a position, as far as this device may read them',
    params: z.object({ conversation: ConversationId }),
    query: z.strictObject({ after, limit: z.coerce.number().int().min(1).max(limits.entriesPerPage).default(100) }),
    result: z.object({
      head: position,
      entries: z.array(z.object({ ...entryFields, bytes: jsonBytes({ max: limits.commit }) })).max(limits.entriesPerPage),
    }),
    status: 200,
    failures: [],
  }),
  hashes: route({
    method: 'GET',
    path: '/v1/conversations/:conversation/hashes',
    access: 'device',
    summary: 'SHA-256 of the entries after a position, for the transcript of a joiner',
    params: z.object({ conversation: ConversationId }),
    query: z.strictObject({ after, limit: z.coerce.number().int().min(1).max(limits.hashesPerPage).default(500) }),
    result: z.object({ head: position, hashes: z.array(jsonBytes({ min: 32, max: 32 })).max(limits.hashesPerPage) }),
    status: 200,
    failures: [],
  }),
}

export const deliveryCommands = {
  resume: command({
    code: 3,
    access: 'device',
    summary: 'Starts delivery on this socket, from the cursors given or, for other conversations, from the stored ones',
    body: z.object({ cursors }),
    result: z.object({}),
    failures: [],
  }),
  send: command({
    code: 4,
    access: 'device',
    summary: 'Appends a sealed message or a proposal to the log; answered when it is on stable storage',
    body: z.object({
      conversation: ConversationId,
      epoch: position,
      clientSeq: z.int().min(1),
      bytes: rawBytes({ min: 1, max: limits.message }),
    }),
    result: z.object({ seq: z.int().min(1), hash, duplicate: z.boolean() }),
    failures: [
      'not_found',
      'stale_epoch',
      'out_of_order',
      'unsupported',
      'invalid_handshake',
      'invalid_credential',
      'not_allowed',
      'storage_full',
    ],
  }),
  nack: command({
    code: 10,
    access: 'device',
    summary: 'Appends a signed statement that this device could not process a commit (RFC 9750 section 5.3)',
    body: z.object({
      conversation: ConversationId,
      clientSeq: z.int().min(1),
      /** See `signNack`. */
      bytes: rawBytes({ min: 1, max: limits.nack }),
    }),
    result: z.object({ seq: z.int().min(1), hash, duplicate: z.boolean() }),
    failures: ['not_found', 'out_of_order', 'storage_full'],
  }),
  acknowledge: command({
    code: 6,
    access: 'device',
    summary: 'This device has durably stored everything up to these positions',
    body: z.object({ cursors }),
    result: z.object({}),
    failures: ['not_found'],
  }),
}

export const deliveryEvents = {
  entries: event({
    code: 1,
    summary: 'Entries of one conversation, in order',
    body: z.object({ conversation: ConversationId, head: position, entries: z.array(Entry).max(limits.entriesPerPage) }),
  }),
  caughtUp: event({ code: 8, summary: 'Everything that was in the logs when the socket resumed has been sent', body: z.object({}) }),
}
