/** The log of device lists, tied to the contract. */
import { fromBase64Url, Refusal, type Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Transparency } from './transparency.ts'

export const transparencyHandlers = (transparency: Transparency): RoomHandlers<Routes['transparency']> => ({
  head: async () => ({ head: await transparency.head() }),
  async prove({ params, query }) {
    const label = fromBase64Url(params.label)
    if (!label) throw new Refusal('malformed', { field: 'label' })
    return { proof: await transparency.prove({ label, after: query.after }) }
  },
  consistency: async ({ query }) => ({ path: await transparency.consistency(query) }),
  entries: ({ query }) => transparency.entries(query),
})
