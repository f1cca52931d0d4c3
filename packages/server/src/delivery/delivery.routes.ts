/** The delivery room's routes and commands, tied to its verbs. */
import type { Routes } from '@tacit/contract'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Delivery } from './delivery.ts'

export function deliveryRoutes(delivery: Delivery): RoomHandlers<Routes['delivery']> {
  return {
    entries: ({ caller, params, query }) => delivery.entries(caller.device, { ...params, ...query }),
    hashes: ({ caller, params, query }) => delivery.hashes(caller.device, { ...params, ...query }),
  }
}
