/**
 * The port between Tacit and an MLS engine (RFC 9420).
 *
 * Everything is a pure function on immutable values: a call returns the next group and what it produced, and a call that
 * fails leaves the group it was given untouched. Nothing here stores, sends, or reads a clock. The engine behind the port
 * may change; nothing outside `packages/mls` may name it.
 */

/** Raw bytes. Lengths are stated where they matter. */
export type Bytes = Uint8Array

/** An Ed25519 pair that signs for one leaf: `publicKey` is 32 bytes, `secretKey` the 32-byte seed (RFC 8032). */
export interface SignaturePair {
  readonly publicKey: Bytes
  readonly secretKey: Bytes
}

/** Who a leaf claims to be: the encoded device certificate, opaque to MLS, and the pair that signs for it. */
export interface LeafIdentity {
  readonly credential: Bytes
  readonly signature: SignaturePair
}

/** One leaf of the ratchet tree, as every member sees it. */
export interface Member {
  readonly leafIndex: number
  readonly credential: Bytes
  readonly signatureKey: Bytes
}

/**
 * Decides whether a leaf may be what its credential says (RFC 9420 section 5.3.1). Asked on *every* path that accepts a
 * leaf: key package, welcome tree, add, update, external join. There is no default and no accept-all.
 */
export type AuthenticateLeaf = (leaf: { readonly credential: Bytes; readonly signatureKey: Bytes }) => Promise<boolean>

/** A change of membership that a commit makes, in the order RFC 9420 section 12.4.2 applies it. */
export type MembershipChange =
  | { readonly kind: 'added'; readonly member: Member }
  | { readonly kind: 'removed'; readonly member: Member }
  | { readonly kind: 'updated'; readonly before: Member; readonly after: Member }

/**
 * Asked before a commit or proposal takes effect, with the group as it was before. Roles and membership policy live in
 * the caller. `by` is the committer (for an external join: the joining leaf, `external` true). Returning false makes
 * `open` fail with cause `policy` and leaves the group untouched.
 */
export type JudgeCommit = (judged: {
  readonly group: Group
  readonly by: Member
  readonly external: boolean
  readonly changes: readonly MembershipChange[]
  /** For each change, who proposed it; equals `by` for an inline proposal. Same order as `changes`. */
  readonly proposers: readonly Member[]
  /** The policy extension the commit would install, when it changes the group context extensions. */
  readonly policy?: Bytes
}) => Promise<boolean>

/** A group at one epoch. Immutable; the engine's own state is behind it and reachable through no field. */
export interface Group {
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly ownLeafIndex: number
  /** False once a commit removed this leaf: the group can no longer seal or open. */
  readonly active: boolean
  /** Occupied leaves in leaf order. */
  readonly members: readonly Member[]
  /** The application's policy extension in the signed group context; empty when absent. */
  readonly policy: Bytes
  /** RFC 9420 section 8.7; as long as the suite's hash: 32, 48 or 64 bytes. Equal for all members of an epoch that agree. */
  readonly epochAuthenticator: Bytes
  /** Proposals of this epoch that were received and wait for a commit. */
  readonly pendingProposals: readonly PendingProposal[]
}

/** A proposal that waits for a commit; `removes` names the leaf when it is a Remove. */
export interface PendingProposal {
  readonly ref: Bytes
  readonly by: Member
  readonly removes?: number
}

/** A key package with its private part. `ref` is KeyPackageRef (RFC 9420 section 5.2). */
export interface KeyPackagePair {
  readonly ref: Bytes
  /** The encoded KeyPackage, as it is published. */
  readonly keyPackage: Bytes
  /** Encoded private part: init key, leaf encryption key. The caller stores it and erases it after use. */
  readonly secret: Bytes
}

/** A small row that is stored beside a snapshot. */
export interface Slot {
  readonly slot: string
  readonly bytes: Bytes
}

/** What becomes of a row: `bytes` takes the place of what it held; undefined erases it. */
export interface SlotChange {
  readonly slot: string
  readonly bytes: Bytes | undefined
}

/** A group as a whole: what stays for the epoch, and the rows that change within it. Replaces everything kept for the group. */
export interface Snapshot {
  readonly kind: 'snapshot'
  readonly bytes: Bytes
  readonly slots: readonly Slot[]
}

/**
 * What must be stored after a call so that `restore` gives the same group back.
 *
 * `snapshot` replaces everything kept for the group, its rows included (written once per epoch). `delta` changes rows; those
 * of a message are under 1 KB together whatever the group's size. All of a delta goes in one transaction, with what the
 * message said: the rows it erases held keys that are consumed now, and forward secrecy is theirs to lose (RFC 9420 section 9.2).
 */
export type Persist = Snapshot | { readonly kind: 'delta'; readonly slots: readonly SlotChange[] }

/**
 * Secrets of the group that a call was given which the group that it gave back has no more: once `persist` is stored, and when
 * nothing else was made of the old group that is still needed, overwrite them with zeros. The old group is of no use then.
 * They are erased by being dropped, too, but not before the garbage collector comes by.
 */
export type Wipe = readonly Bytes[]

/** A Welcome (RFC 9420 section 12.4.3.1) and whom it is for. */
export interface OutgoingWelcome {
  /** KeyPackageRefs that this Welcome serves. */
  readonly refs: readonly Bytes[]
  readonly bytes: Bytes
}

export interface CommitRequest {
  /** Encoded KeyPackages of the devices to add. */
  readonly add?: readonly Bytes[]
  /** Leaf indexes to remove. */
  readonly remove?: readonly number[]
  /** Refs of pending proposals to commit; absent: all that are still valid. */
  readonly byReference?: readonly Bytes[]
  /** New content of the policy extension. */
  readonly policy?: Bytes
  /** Authenticated data of the commit: visible to the server, signed by the committer. */
  readonly authenticatedData?: Bytes
  /** Bytes that every joiner gets inside the encrypted GroupInfo (our transcript start); at most 256 bytes. */
  readonly note?: Bytes
  /** Seconds since 1970: added key packages must be current then (RFC 9420 section 7.3). Absent: their lifetimes are not judged. */
  readonly now?: bigint
  readonly authenticate: AuthenticateLeaf
}

export interface PendingCommit {
  /** The group after the commit. Becomes current, by `merge` or by itself, only when the server has accepted `commit`. */
  readonly next: Group
  /** An encoded MLSMessage holding a PublicMessage. */
  readonly commit: Bytes
  readonly welcomes: readonly OutgoingWelcome[]
  /** An encoded MLSMessage holding the GroupInfo of the new epoch with external_pub, for own new devices. */
  readonly groupInfo: Bytes
  readonly changes: readonly MembershipChange[]
  /** Always a snapshot; store it beside the current group, not in its place, until the commit is accepted. */
  readonly persist: Snapshot
}

/** What an incoming handshake or application message turned out to be. */
export type Opened =
  | {
      readonly kind: 'message'
      readonly group: Group
      readonly sender: Member
      readonly payload: Bytes
      readonly authenticatedData: Bytes
      readonly persist: Persist
      readonly wipe: Wipe
    }
  | {
      readonly kind: 'proposal'
      readonly group: Group
      readonly sender: Member
      readonly removes?: number
      readonly authenticatedData: Bytes
      readonly persist: Persist
      readonly wipe: Wipe
    }
  | {
      readonly kind: 'commit'
      readonly group: Group
      readonly sender: Member
      readonly external: boolean
      readonly changes: readonly MembershipChange[]
      readonly policyChanged: boolean
      readonly authenticatedData: Bytes
      readonly persist: Persist
      readonly wipe: Wipe
    }

/** What a Welcome gives. `signer` made the commit; `note` is what it put into the GroupInfo (empty when none). */
export interface Joined {
  readonly group: Group
  readonly signer: Member
  readonly note: Bytes
  readonly persist: Snapshot
}

/** What an external commit is made from (RFC 9420 section 12.4.3.2). */
export interface ExternalJoinRequest {
  readonly groupInfo: Bytes
  /** The encoded tree, when the GroupInfo does not carry it. */
  readonly ratchetTree?: Bytes
  readonly identity: LeafIdentity
  /** Leaf to remove in the same commit: an old leaf of this very device. */
  readonly replaces?: number
  readonly authenticatedData?: Bytes
  /** As in `CommitRequest`, for those who join by the GroupInfo that this makes. Absent: the note that was found is passed on. */
  readonly note?: Bytes
  readonly authenticate: AuthenticateLeaf
}

/** An external commit and the group after it (RFC 9420 section 12.4.3.2). */
export interface ExternalJoin {
  /** The group after the external commit; becomes current only when the server has accepted `commit`. */
  readonly next: Group
  readonly commit: Bytes
  readonly groupInfo: Bytes
  /** The note of the GroupInfo that was joined by. */
  readonly note: Bytes
  readonly persist: Snapshot
}

/** What an engine does. All failures are `MlsError`. */
export interface MlsEngine {
  /** Short name for logs and the encryption page, e.g. `X25519+ML-KEM-768`. */
  readonly suiteName: string
  /** The ciphersuite number on the wire (RFC 9420 section 17.1; private use for the hybrid suite). */
  readonly suite: number

  /** A fresh signature pair of the suite (RFC 9420 section 5.1). */
  generateSignaturePair(): Promise<SignaturePair>

  /** A KeyPackage (RFC 9420 section 10); `notBefore` and `notAfter` in seconds since 1970, as section 7.2 has it. `usage` for a lifetime that is reversed or too long. */
  createKeyPackage(request: {
    readonly identity: LeafIdentity
    readonly notBefore: bigint
    readonly notAfter: bigint
    readonly lastResort: boolean
  }): Promise<KeyPackagePair>

  /** Strictly parses and verifies a KeyPackage (signature, suite, key reuse, lifetime at `now` in seconds, bad keys) and returns its leaf (RFC 9420 section 10.1). */
  inspectKeyPackage(
    keyPackage: Bytes,
    now: bigint,
  ): Promise<{ readonly ref: Bytes; readonly credential: Bytes; readonly signatureKey: Bytes; readonly lastResort: boolean }>

  /** A new group at epoch 0 with this device as its only member (RFC 9420 section 11), and its encoded ratchet tree of one leaf. */
  createGroup(request: { readonly groupId: Bytes; readonly identity: LeafIdentity; readonly policy: Bytes }): Promise<{
    readonly group: Group
    readonly groupInfo: Bytes
    readonly ratchetTree: Bytes
    readonly persist: Snapshot
  }>

  /** Encrypts an application payload as a PrivateMessage, padded to a power-of-two bucket of at least 256 bytes (RFC 9420 section 6.3.1). `usage` while proposals wait. */
  seal(
    group: Group,
    payload: Bytes,
    authenticatedData?: Bytes,
  ): Promise<{ readonly group: Group; readonly sealed: Bytes; readonly persist: Persist; readonly wipe: Wipe }>

  /**
   * Opens one log entry (RFC 9420 sections 6.2, 6.3 and 12.4.2; an MLSMessage with a PublicMessage or PrivateMessage) of the group's current epoch.
   * Application messages of the epoch before may be opened too; handshakes never. `now` (seconds) judges key package lifetimes.
   */
  open(
    group: Group,
    message: Bytes,
    hooks: { readonly authenticate: AuthenticateLeaf; readonly judge: JudgeCommit; readonly now: bigint },
  ): Promise<Opened>

  /** A commit: any mix of adds, removes, pending proposals and policy; with none of them, a path update of the own leaf (RFC 9420 section 12.4.1). */
  commit(group: Group, request: CommitRequest): Promise<PendingCommit>

  /**
   * An accepted commit's group as it goes on from `current`, which opens late messages of the epoch that is over (RFC 9420
   * section 14). `PendingCommit.next` alone does not: it remembers nothing of an epoch that went on without it. `usage` when
   * `next` does not follow `current`.
   */
  merge(current: Group, next: Group): { readonly group: Group; readonly persist: Snapshot; readonly wipe: Wipe }

  /** A Remove proposal (RFC 9420 section 12.1.3) as a PublicMessage; of the own leaf it means: please remove me. */
  proposeRemove(
    group: Group,
    leafIndex: number,
    authenticatedData?: Bytes,
  ): Promise<{ readonly group: Group; readonly proposal: Bytes; readonly persist: Persist }>

  /** Joins by Welcome with the key package it was made for (RFC 9420 section 12.4.3.1). `ratchetTree`: the encoded tree, when the Welcome does not carry it. */
  join(request: {
    readonly welcome: Bytes
    readonly ratchetTree?: Bytes
    readonly keyPackage: KeyPackagePair
    readonly identity: LeafIdentity
    readonly authenticate: AuthenticateLeaf
    readonly now: bigint
  }): Promise<Joined>

  /** Joins by external commit (RFC 9420 section 12.4.3.2). Whether a leaf may be replaced is for the others' `judge`. */
  joinExternal(request: ExternalJoinRequest): Promise<ExternalJoin>

  /** Members and epoch of a GroupInfo (RFC 9420 section 12.4.3), its signature and tree verified, without joining. Nobody's credential is judged. */
  inspectGroupInfo(
    groupInfo: Bytes,
    ratchetTree?: Bytes,
  ): Promise<{
    readonly groupId: Bytes
    readonly epoch: bigint
    /** Who signed it. */
    readonly signer: Member
    readonly members: readonly Member[]
    readonly policy: Bytes
    readonly note: Bytes
  }>

  /** MLS exporter (RFC 9420 section 8.5). `length` in bytes. */
  exportSecret(group: Group, label: string, context: Bytes, length: number): Promise<Bytes>

  /** The group as one snapshot, e.g. after a commit was merged. */
  snapshot(group: Group): Snapshot

  /** The inverse of everything `persist` gave: a snapshot and all rows that are stored beside it now, in any order. */
  restore(request: { readonly snapshot: Bytes; readonly slots: readonly Slot[]; readonly identity: LeafIdentity }): Promise<Group>
}
