/** Linking, tied to the contract. */
import type { LinkCode, Routes } from '@tacit/contract'
import type { DeviceCaller, RoomHandlers } from '../gateway/caller.ts'
import { addressKey, type Limits } from '../gateway/limits.ts'
import type { Claimant, Links } from './linking.ts'

export function linkingHandlers({ links, limits }: { readonly links: Links; readonly limits: Limits }): RoomHandlers<Routes['linking']> {
  const claimant = ({ code }: { code: LinkCode }, { account, session }: DeviceCaller): Claimant => ({ code, account, session })
  const nothing = async (work: Promise<void>) => {
    await work
    return null
  }
  return {
    async begin({ body, caller }) {
      await limits.spend('link_begin', addressKey(caller.address))
      return links.begin(body.commitment)
    },
    look: ({ body }) => links.look(body.ticket),
    reveal: ({ body }) => nothing(links.reveal(body)),
    take: ({ body }) => links.take(body.ticket),
    giveUp: ({ body }) => nothing(links.giveUp(body.ticket)),
    async claim({ body, caller }) {
      await limits.spend('link_claim', caller.account)
      return links.claim(claimant(body, caller))
    },
    offer: ({ params, body, caller }) => nothing(links.offer(claimant(params, caller), body.key)),
    show: ({ params, caller }) => links.show(claimant(params, caller)),
    approve: ({ params, body, caller }) => nothing(links.approve(claimant(params, caller), body.sealed)),
    cancel: ({ params, caller }) => nothing(links.cancel(claimant(params, caller))),
  }
}
