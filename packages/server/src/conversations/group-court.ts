/**
 * The server's judgement on what changes a group: every leaf that appears carries the certificate of a device on its
 * account's current list, and the rules of membership allow the change. Members judge the same again.
 */
import {
  Certificates,
  equalBytes,
  isFairChange,
  limits,
  Refusal,
  type AccountId,
  type ConversationId,
  type DeviceCertificate,
  type DeviceId,
} from '@tacit/contract'
import {
  HYBRID_SUITE,
  judgedCommit,
  judgedProposal,
  memberOf,
  membersOf,
  policyOf,
  type CommitPolicy,
  type Judged,
  type LeafPolicy,
  type NodeChange,
  type PublicGroup,
  type SentProposal,
  type StagedCommit,
} from '@tacit/mls/public'
import type { Clock } from '../clock.ts'

export interface Registry {
  /** Whether the certificate's device is on the current list of the account whose key signed it, with the certificate's key. */
  isListed(certificate: DeviceCertificate): Promise<boolean>
}

export interface CourtDeps {
  readonly registry: Registry
  readonly clock: Clock
  /** Ciphersuites that groups and key packages may have. */
  readonly suites?: readonly number[]
}

export interface Sender {
  readonly account: AccountId
  readonly device: DeviceId
}

export class GroupCourt {
  readonly #deps: CourtDeps
  readonly #suites: readonly number[]
  /** Of ten conversations of a thousand leaves. */
  readonly #certificates = new Certificates({ most: 10_000 })

  constructor(deps: CourtDeps) {
    this.#deps = deps
    this.#suites = deps.suites ?? [HYBRID_SUITE]
  }

  /** For the MLS package. Whose leaf a newcomer may replace is for `expectFair`. */
  get policy(): CommitPolicy & LeafPolicy {
    return {
      authenticate: (leaf) => this.#isInForce(leaf),
      now: BigInt(Math.floor(this.#deps.clock.now() / 1000)),
      maxLifetime: BigInt(limits.keyPackageLifetime),
      isSameClient: () => true,
    }
  }

  /** Refuses `unsupported`. */
  expectSuite(suite: number): void {
    if (!this.#suites.includes(suite)) throw new Refusal('unsupported', { field: 'suite' })
  }

  /** Refuses `not_allowed` unless the leaf is the sender's own. */
  async expectOwn(leaf: Parameters<typeof memberOf>[1] | undefined, sender: Sender): Promise<void> {
    const device = leaf && (await this.deviceOf(memberOf(0, leaf)))
    if (device?.device !== sender.device || device.account !== sender.account) throw new Refusal('not_allowed', { field: 'sender' })
  }

  /** Whose leaf it is; its certificate was judged when the leaf was accepted. Refuses `invalid_credential`. */
  async deviceOf(leaf: { readonly credential: Uint8Array }): Promise<DeviceCertificate> {
    const certificate = await this.#certificates.read(leaf.credential)
    if (!certificate) throw new Refusal('invalid_credential')
    return certificate
  }

  /** Refuses `not_allowed` for a commit against the rules of membership. */
  async expectFairCommit(group: PublicGroup, staged: StagedCommit): Promise<void> {
    await this.#expectFair(group, judgedCommit(group, staged))
  }

  /** As `expectFairCommit`, for a member's proposal. */
  async expectFairProposal(group: PublicGroup, sent: SentProposal): Promise<void> {
    const leaf = sent.sender.kind === 'member' ? group.tree.leaf(sent.sender.leafIndex) : undefined
    if (!leaf || sent.sender.kind !== 'member') throw new Refusal('not_allowed')
    await this.#expectFair(group, judgedProposal(group, sent, memberOf(sent.sender.leafIndex, leaf)))
  }

  async #expectFair({ tree, context }: PublicGroup, judged: Judged): Promise<void> {
    const before = { members: membersOf(tree), policy: policyOf(context.extensions) }
    // A certificate that has ended makes nobody fair game: members ask the list alone, too.
    const isWithdrawn = async (leaf: DeviceCertificate) => !(await this.#deps.registry.isListed(leaf))
    const fair = await isFairChange({ certificates: this.#certificates, isWithdrawn }, { ...judged, group: before })
    if (!fair) throw new Refusal('not_allowed')
  }

  async #isInForce(leaf: { readonly credential: Uint8Array; readonly signatureKey: Uint8Array }): Promise<boolean> {
    const certificate = await this.#certificates.read(leaf.credential)
    if (!certificate || !equalBytes(certificate.signatureKey, leaf.signatureKey)) return false
    return certificate.notAfter * 1000 > this.#deps.clock.now() && (await this.#deps.registry.isListed(certificate))
  }
}

/** Refuses `too_large` for a leaf that would make trees larger than they may be served. */
export function expectSmallNodes(nodes: readonly NodeChange[]): void {
  if (nodes.some(({ node, bytes }) => node % 2 === 0 && bytes && bytes.length > limits.leaf)) throw new Refusal('too_large')
}

/** Refuses `malformed` when the group is not the conversation's. */
export function expectGroupOf(conversation: ConversationId, groupId: Uint8Array): void {
  if (Buffer.from(groupId).toString('base64url') !== conversation) throw new Refusal('malformed', { field: 'conversation' })
}
