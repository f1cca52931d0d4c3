/** The conversations room's routes, tied to its verbs. */
import type { Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Conversations } from './conversations.ts'

export function conversationRoutes(conversations: Conversations, limits: Limits): RoomHandlers<Routes['conversations']> {
  return {
    async create({ caller, body }) {
      await limits.spend('create_conversation', caller.account)
      return conversations.create(caller, body)
    },
    list: ({ caller, query }) => conversations.list(caller, query),
    show: ({ caller, params }) => conversations.show(caller, params.conversation),
    tree: ({ caller, params, query }) => conversations.tree(caller, { ...params, ...query }),
    groupInfo: ({ caller, params }) => conversations.groupInfo(caller, params.conversation),
  }
}
