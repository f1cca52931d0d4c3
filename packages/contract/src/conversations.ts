/**
 * Conversations: one MLS group each, direct (two people) or group. The server follows each group from outside: it verifies
 * every change of membership and keeps the ratchet tree, so that nothing a device says carries one.
 */
import { z } from 'zod'
import { jsonBytes, rawBytes } from './bytes.ts'
import { AccountId, ConversationId, DeviceId, WelcomeId } from './ids.ts'
import { limits } from './limits.ts'
import { command, event, route } from './vocabulary.ts'

export const ConversationKind = z.enum(['direct', 'group'])
export type ConversationKind = z.output<typeof ConversationKind>

const conversationParams = z.object({ conversation: ConversationId })
const position = z.int().min(0)

export const conversations = {
  create: route({
    method: 'POST',
    path: '/v1/conversations',
    access: 'device',
    summary: 'Opens a conversation at epoch 0 with this device as its only member; a direct one is unique for two people',
    body: z.strictObject({
      conversation: ConversationId,
      kind: ConversationKind,
      /** The other person of a direct conversation. */
      peer: AccountId.optional(),
      /** MLSMessage with the GroupInfo of epoch 0, without a tree. */
      groupInfo: jsonBytes({ min: 1, max: limits.groupInfo }),
      /** The ratchet tree of epoch 0 (RFC 9420 section 12.4.3.3): one leaf. */
      ratchetTree: jsonBytes({ min: 1, max: limits.leaf }),
    }),
    result: z.object({ conversation: ConversationId }),
    status: 201,
    failures: ['already_exists', 'direct_exists', 'unsupported', 'invalid_handshake', 'invalid_credential', 'not_allowed', 'storage_full'],
  }),
  list: route({
    method: 'GET',
    path: '/v1/conversations',
    access: 'device',
    summary: 'Conversations that my account is in, also those that this device has not joined yet; ordered by id',
    query: z.strictObject({
      after: ConversationId.optional(),
      limit: z.coerce.number().int().min(1).max(limits.conversationsPerPage).default(100),
    }),
    result: z.object({
      conversations: z
        .array(
          z.object({
            conversation: ConversationId,
            kind: ConversationKind,
            epoch: position,
            head: position,
            /** Whether this device is a member now. */
            joined: z.boolean(),
          }),
        )
        .max(limits.conversationsPerPage),
    }),
    status: 200,
    failures: [],
  }),
  show: route({
    method: 'GET',
    path: '/v1/conversations/:conversation',
    access: 'device',
    summary: 'State and roster of a conversation of mine',
    params: conversationParams,
    result: z.object({
      conversation: ConversationId,
      kind: ConversationKind,
      epoch: position,
      head: position,
      joined: z.boolean(),
      /** This device's counter: the last client_seq that was accepted. */
      clientSeq: position,
      members: z.array(z.object({ account: AccountId, device: DeviceId })).max(limits.membersPerConversation),
    }),
    status: 200,
    failures: [],
  }),
  groupInfo: route({
    method: 'GET',
    path: '/v1/conversations/:conversation/group-info',
    access: 'device',
    summary: 'The GroupInfo of the current epoch, for a new device of a member account (RFC 9420 section 12.4.3.2)',
    params: conversationParams,
    result: z.object({ epoch: position, head: position, groupInfo: jsonBytes({ max: limits.groupInfo }) }),
    status: 200,
    failures: [],
  }),
  tree: route({
    method: 'GET',
    path: '/v1/conversations/:conversation/tree',
    access: 'device',
    summary: 'The ratchet tree of the current epoch, or of one that a welcome leads this device into',
    params: conversationParams,
    query: z.strictObject({ epoch: z.coerce.number().int().min(0) }),
    result: z.object({ ratchetTree: jsonBytes({ max: limits.ratchetTree }) }),
    status: 200,
    failures: ['stale_epoch'],
  }),
}

export const conversationCommands = {
  commit: command({
    code: 5,
    access: 'device',
    summary: 'A commit with all that belongs to it, in one step; accepted only for the current epoch, and only if it holds',
    body: z.object({
      conversation: ConversationId,
      /** The epoch that the commit ends. */
      epoch: position,
      clientSeq: z.int().min(1),
      /** MLSMessage with a PublicMessage. */
      commit: rawBytes({ min: 1, max: limits.commit }),
      /** MLSMessage with one Welcome for all whom the commit adds, without a tree; each is given its own part. Null when it adds nobody. */
      welcome: rawBytes({ min: 1, max: limits.welcome }).nullable(),
      /** MLSMessage with the GroupInfo of the epoch that the commit begins, without a tree. */
      groupInfo: rawBytes({ min: 1, max: limits.groupInfo }),
    }),
    result: z.object({ seq: position, hash: rawBytes({ min: 32, max: 32 }), epoch: position, duplicate: z.boolean() }),
    failures: [
      'not_found',
      'stale_epoch',
      'busy',
      'out_of_order',
      'unsupported',
      'invalid_handshake',
      'invalid_credential',
      'not_allowed',
      'too_many',
      'storage_full',
    ],
  }),
  acknowledgeWelcomes: command({
    code: 9,
    access: 'device',
    summary: 'These welcomes are stored on the device; the server may forget them',
    body: z.object({ welcomes: z.array(WelcomeId).max(limits.welcomeAcksPerFrame) }),
    result: z.object({}),
    failures: [],
  }),
}

export const conversationEvents = {
  welcome: event({
    code: 2,
    summary: 'This device was added to a conversation; its log begins after `seq`',
    body: z.object({
      welcome: WelcomeId,
      conversation: ConversationId,
      kind: ConversationKind,
      /** Position of the commit that added the device. */
      seq: position,
      /** The epoch that it leads into, whose tree is to be fetched. */
      epoch: position,
      bytes: rawBytes({ max: limits.welcome }),
    }),
  }),
  changed: event({
    code: 7,
    summary: 'My account is in this conversation but this device is not: it may join',
    body: z.object({ conversation: ConversationId, kind: ConversationKind }),
  }),
}
