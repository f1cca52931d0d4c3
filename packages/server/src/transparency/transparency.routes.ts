/** The log of device lists, tied to the contract. */
import type { Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Transparency } from './transparency.ts'

export const transparencyHandlers = (transparency: Transparency): RoomHandlers<Routes['transparency']> => ({
  head: async () => ({ head: await transparency.head() }),
  prove: async ({ params, query }) => ({ proof: await transparency.prove({ label: params.label, after: query.after }) }),
  consistency: async ({ query }) => ({ path: await transparency.consistency(query) }),
  entries: ({ query }) => transparency.entries(query),
})
