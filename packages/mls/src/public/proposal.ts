/** Proposals, commits and update paths (RFC 9420 sections 7.6, 12.1 and 12.4): the changes that a group may make. */
import type { Bytes } from '../port.ts'
import type { HpkeCiphertext } from '../crypto/hpke.ts'
import { bytes, choice, opaque, optional, passing, select, struct, uint16, uint32, uint64, uint8, vector } from './codec.ts'
import type { Codec } from './codec.ts'
import { extensionsCodec } from './extensions.ts'
import type { Extension } from './extensions.ts'
import { groupIdCodec, versionCodec } from './framing.ts'
import { keyCodec, keyPackageCodec, leafNodeCodec, MAX_KEY } from './leaf-node.ts'
import type { KeyPackage, LeafNode } from './leaf-node.ts'

export type ResumptionUsage = 'application' | 'reinit' | 'branch'

/** RFC 9420 section 8.4. */
export type PskId =
  | { readonly kind: 'external'; readonly id: Bytes; readonly nonce: Bytes }
  | { readonly kind: 'resumption'; readonly usage: ResumptionUsage; readonly groupId: Bytes; readonly epoch: bigint; readonly nonce: Bytes }

export const pskIdCodec: Codec<PskId> = select<PskId>(choice(uint8, { external: 1, resumption: 2 }, 'PSK type'), {
  external: struct({ id: bytes, nonce: opaque(255) }),
  resumption: struct({
    usage: choice(uint8, { application: 1, reinit: 2, branch: 3 }, 'resumption PSK usage'),
    groupId: groupIdCodec,
    epoch: uint64,
    nonce: opaque(255),
  }),
})

export type Proposal =
  | { readonly kind: 'add'; readonly keyPackage: KeyPackage }
  | { readonly kind: 'update'; readonly leaf: LeafNode }
  | { readonly kind: 'remove'; readonly removed: number }
  | { readonly kind: 'psk'; readonly psk: PskId }
  | {
      readonly kind: 'reinit'
      readonly groupId: Bytes
      readonly version: 'mls10'
      readonly suite: number
      readonly extensions: readonly Extension[]
    }
  | { readonly kind: 'external_init'; readonly kemOutput: Bytes }
  | { readonly kind: 'group_context_extensions'; readonly extensions: readonly Extension[] }
  /** A type that RFC 9420 does not define; its content travels as one opaque vector. */
  | { readonly kind: 'custom'; readonly type: number; readonly data: Bytes }

type DefaultProposal = Exclude<Proposal, { kind: 'custom' }>
export type ProposalOf<K extends Proposal['kind']> = Extract<Proposal, { kind: K }>

/** RFC 9420 section 17.4. */
const PROPOSAL_TYPES = { add: 1, update: 2, remove: 3, psk: 4, reinit: 5, external_init: 6, group_context_extensions: 7 } as const

/** Types up to this one are "default": every client supports them and lists none of them (section 7.2). */
export const LAST_DEFAULT_PROPOSAL = 7

/** The codec of each default proposal's content, without the type in front. */
export const proposalBodies: { readonly [K in DefaultProposal['kind']]: Codec<Omit<ProposalOf<K>, 'kind'>> } = {
  add: struct({ keyPackage: keyPackageCodec }),
  update: struct({ leaf: leafNodeCodec }),
  remove: struct({ removed: uint32 }),
  psk: struct({ psk: pskIdCodec }),
  reinit: struct({ groupId: groupIdCodec, version: versionCodec, suite: uint16, extensions: extensionsCodec }),
  external_init: struct({ kemOutput: keyCodec }),
  group_context_extensions: struct({ extensions: extensionsCodec }),
}

const defaultProposalCodec = (type: number): Codec<DefaultProposal> =>
  select<DefaultProposal>(
    choice({ read: () => type, write: (to, value) => uint16.write(to, value) }, PROPOSAL_TYPES, 'proposal type'),
    proposalBodies,
  )

const byType = Array.from({ length: LAST_DEFAULT_PROPOSAL + 1 }, (_, type) => defaultProposalCodec(type))

export const proposalCodec: Codec<Proposal> = {
  read: (from) => {
    const type = uint16.read(from)
    return byType[type]?.read(from) ?? { kind: 'custom', type, data: bytes.read(from) }
  },
  write: (to, proposal) => {
    if (proposal.kind !== 'custom') return byType[0]?.write(to, proposal)
    uint16.write(to, proposal.type)
    bytes.write(to, proposal.data)
  },
}

/** ProposalOrRef (RFC 9420 section 12.4). */
export type ProposalOrRef = { readonly kind: 'proposal'; readonly proposal: Proposal } | { readonly kind: 'reference'; readonly ref: Bytes }

const proposalOrRefCodec: Codec<ProposalOrRef> = select<ProposalOrRef>(choice(uint8, { proposal: 1, reference: 2 }, 'ProposalOrRef type'), {
  proposal: struct({ proposal: proposalCodec }),
  reference: struct({ ref: opaque(255) }),
})

export const hpkeCiphertextCodec: Codec<HpkeCiphertext> = struct<HpkeCiphertext>({ kemOutput: passing(MAX_KEY), ciphertext: passing() })

export interface UpdatePathNode {
  readonly encryptionKey: Bytes
  /** One per node of the copath child's resolution, in its order. */
  readonly encryptedPathSecrets: readonly HpkeCiphertext[]
}

export interface UpdatePath {
  readonly leaf: LeafNode
  /** One per node of the filtered direct path, from the leaf up. */
  readonly nodes: readonly UpdatePathNode[]
}

/** More leaves than this are no group that this engine can serve. */
export const MAX_LEAVES = 16_384

export const updatePathCodec: Codec<UpdatePath> = struct<UpdatePath>({
  leaf: leafNodeCodec,
  nodes: vector(struct<UpdatePathNode>({ encryptionKey: keyCodec, encryptedPathSecrets: vector(hpkeCiphertextCodec, MAX_LEAVES) }), 32),
})

export interface Commit {
  readonly proposals: readonly ProposalOrRef[]
  readonly path: UpdatePath | undefined
}

/** A commit changes at most this many things. */
export const MAX_PROPOSALS = 4096

export const commitCodec: Codec<Commit> = struct<Commit>({
  proposals: vector(proposalOrRefCodec, MAX_PROPOSALS),
  path: optional(updatePathCodec),
})
