/** What the engine asks before a commit takes effect: the rules of membership, which the server applies too, as this device knows people. */
import { isFairChange, readPolicy, type Certificates, type ConversationKind, type DeviceCertificate } from '@tacit/contract'
import type { JudgeCommit } from '@tacit/mls'
import { isListed } from '../devices/authenticate-leaf.ts'
import type { People } from '../devices/people.ts'

export interface Bench {
  readonly certificates: Certificates
  readonly people: Pick<People, 'known' | 'refresh'>
}

/** The judge that the engine asks. It trusts the server with nothing: not even with having applied the same rules. */
export const judgeCommit = (bench: Bench): JudgeCommit => {
  const court = { certificates: bench.certificates, isWithdrawn: (leaf: DeviceCertificate) => isWithdrawn(bench, leaf) }
  return (judged) => isFairChange(court, judged)
}

/** A list that does not name the leaf may be older than it is: the newest one says it, as long as the server gives one. */
async function isWithdrawn({ people }: Bench, leaf: DeviceCertificate): Promise<boolean> {
  const newest = (await people.refresh(leaf.account)) ?? (await people.known(leaf.account))
  return newest !== undefined && !isListed(newest, leaf)
}

/** Kind as the group's own context says it; the server's word is only a hint. */
export const kindOf = (policy: Uint8Array): ConversationKind => readPolicy(policy)?.kind ?? 'group'
