/**
 * How groups of ours use MLS, as far as everybody can see it: what stands in a group context, and which proposals and
 * commits are taken. RFC 9420 leaves it to the application; members and delivery services refuse alike.
 */
import type { Bytes } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { encode } from './codec.ts'
import { CERTIFICATE_CREDENTIAL } from './credential.ts'
import { EXTENSION, findExtension, requiredCapabilitiesCodec } from './extensions.ts'
import type { Extension } from './extensions.ts'
import type { Proposal } from './proposal.ts'
import type { SentProposal } from './proposal-list.ts'
import type { PublicGroup, StagedCommit } from './staged-commit.ts'

/** Bytes. */
export const MAX_POLICY = 64 * 1024

/** Proposals that one member may have waiting in an epoch. */
export const PROPOSALS_PER_MEMBER = 16

const REQUIRED = encode(requiredCapabilitiesCodec, {
  extensionTypes: [EXTENSION.policy],
  proposalTypes: [],
  credentialTypes: [CERTIFICATE_CREDENTIAL],
})

/** The group context extensions of all our groups: what members must be able to do, and the policy. */
export const contextExtensions = (policy: Bytes): readonly Extension[] => {
  expectPolicySize(policy)
  return [
    { type: EXTENSION.requiredCapabilities, data: REQUIRED },
    { type: EXTENSION.policy, data: policy.slice() },
  ]
}

/** Throws `unsupported` for group context extensions (RFC 9420 section 8.1) that are not those of this profile. */
export const expectContextExtensions = (extensions: readonly Extension[]): void => {
  const [required, policy, ...others] = extensions
  const ours = required?.type === EXTENSION.requiredCapabilities && equal(required.data, REQUIRED) && policy?.type === EXTENSION.policy
  if (!ours || others.length > 0) throw new MlsError('unsupported', 'group context extensions')
  expectPolicySize(policy.data)
}

const expectPolicySize = (policy: Bytes): void => {
  if (policy.length > MAX_POLICY) throw new MlsError('too_large', `policy of ${policy.length} bytes, at most ${MAX_POLICY}`)
}

/** The application's policy, an extension of the group context (RFC 9420 sections 8.1 and 13.4); empty when there is none. */
export const policyOf = (extensions: readonly Extension[]): Bytes => findExtension(extensions, EXTENSION.policy) ?? new Uint8Array()

const PROPOSALS_TAKEN: ReadonlySet<Proposal['kind']> = new Set(['add', 'update', 'remove', 'group_context_extensions'])

/**
 * Throws for a proposal that is not taken to wait for a commit (RFC 9420 section 12.1 leaves this to the application): of another kind, from outside of the group, beyond a member's
 * share (nobody fills another's store), or a removal that the member asked for already.
 */
export const expectProposalOfProfile = ({ proposals }: Pick<PublicGroup, 'proposals'>, { proposal, sender }: SentProposal): void => {
  if (sender.kind !== 'member') throw new MlsError('policy', 'proposal from outside the group')
  if (!PROPOSALS_TAKEN.has(proposal.kind)) throw new MlsError('unsupported', `proposal ${proposal.kind}`)
  if (proposal.kind === 'group_context_extensions') expectContextExtensions(proposal.extensions)
  const own = [...proposals.values()].filter((known) => known.sender.kind === 'member' && known.sender.leafIndex === sender.leafIndex)
  if (own.length >= PROPOSALS_PER_MEMBER) throw new MlsError('too_large', 'too many proposals of one member')
  const again = own.some(
    (known) => known.proposal.kind === 'remove' && proposal.kind === 'remove' && known.proposal.removed === proposal.removed,
  )
  if (again) throw new MlsError('duplicate', 'removal is proposed already')
}

/** Throws `unsupported` for a valid commit (RFC 9420 section 12.4.2) that makes something else of the group than the profile knows. */
export const expectCommitOfProfile = ({ reinit, psks, context }: Pick<StagedCommit, 'reinit' | 'psks' | 'context'>): void => {
  if (reinit || psks.length > 0) throw new MlsError('unsupported', 'groups of this profile use neither reinit nor PSKs')
  expectContextExtensions(context.extensions)
}
