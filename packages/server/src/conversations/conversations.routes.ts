/** The conversations room's routes, tied to its verbs. */
import type { Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Conversations } from './conversations.ts'

export function conversationRoutes(conversations: Conversations): RoomHandlers<Routes['conversations']> {
  return {
    create: ({ caller, body }) => conversations.create(caller, body),
    list: ({ caller, query }) => Promise.resolve(conversations.list(caller, query)),
    show: ({ caller, params }) => Promise.resolve(conversations.show(caller, params.conversation)),
    groupInfo: ({ caller, params }) => Promise.resolve(conversations.groupInfo(caller, params.conversation)),
  }
}
