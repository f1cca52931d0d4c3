/** The ratchet tree of an epoch, which the server keeps for those who join. The engine holds it against the signed tree hash. */
import { routes, type ConversationId } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'

/** Rejects with the refusal `stale_epoch` when the conversation has moved on and nothing waits for this epoch. */
export async function fetchTree(
  core: DeviceCore,
  { conversation, epoch }: { readonly conversation: ConversationId; readonly epoch: number },
): Promise<Uint8Array> {
  const { ratchetTree } = await core.session.call(routes.conversations.tree, { params: { conversation }, query: { epoch } })
  return ratchetTree
}
