/** Verifying a proposal that is sent alone (RFC 9420 section 12.1), so that whatever waits in a group could be committed. */
import { Refusal } from '@tacit/contract'
import { afterProposal, expectProposalOfProfile, readMessage, type PublicGroup } from '@tacit/mls/public'
import type { GroupCourt, Sender } from './group-court.ts'
import { judgingBytes } from './group-refusals.ts'

/** Refuses `malformed`, `unsupported`, `invalid_handshake`, `invalid_credential`, `not_allowed`, `too_large`. */
export async function verifyProposal(
  court: GroupCourt,
  { group, sender, bytes }: { readonly group: PublicGroup; readonly sender: Sender; readonly bytes: Uint8Array },
): Promise<void> {
  const { message } = await judgingBytes(() => readMessage(bytes, 'public'))
  const { framed } = message
  if (framed.content.kind !== 'proposal' || framed.sender.kind !== 'member') throw new Refusal('unsupported')
  await court.expectOwn(group.tree.leaf(framed.sender.leafIndex), sender)
  const sent = await judgingBytes(async () => {
    const { sent: accepted } = await afterProposal(group, message, court.policy)
    expectProposalOfProfile(group, accepted)
    return accepted
  })
  await court.expectFairProposal(group, sent)
}
