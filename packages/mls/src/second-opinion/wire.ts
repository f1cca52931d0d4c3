/**
 * The structures of RFC 9420 as the second opinion reads them. It shares no code with the engine: it reads once, keeps the
 * raw bytes of what is hashed or signed, and never encodes a structure again. It reads what honest members send and refuses
 * little: it is here to compute the same things in another way.
 */

export class Cursor {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new Error('second opinion: bytes end too soon')
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  /** An unsigned integer of up to six bytes. */
  uint(width: number): number {
    return Buffer.from(this.take(width)).readUIntBE(0, width)
  }

  /** `opaque<V>` (section 2.1.2). */
  opaque(): Uint8Array {
    const first = this.uint(1)
    const rest = (1 << (first >> 6)) - 1
    let length = first & 0x3f
    for (let left = rest; left > 0; left--) length = length * 256 + this.uint(1)
    return this.take(length)
  }

  list<T>(read: (from: Cursor) => T): T[] {
    const inner = new Cursor(this.opaque())
    const values: T[] = []
    while (!inner.done) values.push(read(inner))
    return values
  }

  maybe<T>(read: (from: Cursor) => T): T | undefined {
    return this.uint(1) === 1 ? read(this) : undefined
  }

  /** What a reader consumed, together with what it read. */
  raw<T>(read: (from: Cursor) => T): { raw: Uint8Array; value: T } {
    const start = this.at
    const value = read(this)
    return { raw: this.bytes.subarray(start, this.at), value }
  }
}

export const uint = (value: number | bigint, width: number): Uint8Array =>
  Uint8Array.from({ length: width }, (_, at) => Number((BigInt(value) >> BigInt(8 * (width - 1 - at))) & 0xffn))

/** `opaque<V>` around bytes. */
export const opaque = (bytes: Uint8Array): Uint8Array => {
  const { length } = bytes
  const prefix = length < 64 ? uint(length, 1) : length < 16_384 ? uint(0x4000 + length, 2) : uint(0x8000_0000 + length, 4)
  return join(prefix, bytes)
}

export const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export interface Leaf {
  readonly raw: Uint8Array
  /** All but the signature. */
  readonly signedPart: Uint8Array
  readonly encryptionKey: Uint8Array
  readonly signatureKey: Uint8Array
  readonly source: 'key_package' | 'update' | 'commit'
  readonly parentHash: Uint8Array
  readonly signature: Uint8Array
}

const readSource = (from: Cursor): Pick<Leaf, 'source' | 'parentHash'> => {
  const parentHash = new Uint8Array()
  switch (from.uint(1)) {
    case 1:
      from.take(16)
      return { source: 'key_package', parentHash }
    case 2:
      return { source: 'update', parentHash }
    case 3:
      return { source: 'commit', parentHash: from.opaque() }
    default:
      throw new Error('second opinion: leaf source')
  }
}

const readCredential = (from: Cursor): void => {
  from.uint(2)
  from.opaque()
}

/** Section 7.2. */
export const readLeaf = (from: Cursor): Leaf => {
  const start = from.at
  const body = from.raw((inner) => {
    const encryptionKey = inner.opaque()
    const signatureKey = inner.opaque()
    readCredential(inner)
    for (const _ of ['versions', 'suites', 'extensions', 'proposals', 'credentials']) inner.opaque()
    const source = readSource(inner)
    inner.opaque()
    return { encryptionKey, signatureKey, ...source }
  })
  const signature = from.opaque()
  return { ...body.value, signedPart: body.raw, signature, raw: from.bytes.subarray(start, from.at) }
}

export interface KeyPackage {
  readonly raw: Uint8Array
  readonly suite: number
  readonly initKey: Uint8Array
  readonly leaf: Leaf
}

/** Section 10. */
export const readKeyPackage = (from: Cursor): KeyPackage => {
  const { raw, value } = from.raw((inner) => {
    inner.uint(2)
    const suite = inner.uint(2)
    const initKey = inner.opaque()
    const leaf = readLeaf(inner)
    inner.opaque()
    inner.opaque()
    return { suite, initKey, leaf }
  })
  return { ...value, raw }
}

export interface Psk {
  readonly raw: Uint8Array
  readonly kind: 'external' | 'resumption'
  /** The id of an external one; the group of a resumption one. */
  readonly id: Uint8Array
  readonly epoch: bigint
}

/** PreSharedKeyID (section 8.4). */
export const readPsk = (from: Cursor): Psk => {
  const { raw, value } = from.raw((inner) => {
    const external = inner.uint(1) === 1
    if (!external) inner.uint(1)
    const id = inner.opaque()
    const epoch = external ? 0n : Buffer.from(inner.take(8)).readBigUInt64BE()
    inner.opaque()
    return { kind: external ? ('external' as const) : ('resumption' as const), id, epoch }
  })
  return { ...value, raw }
}

/** Section 12.1. */
export type Proposal =
  | { readonly kind: 'add'; readonly keyPackage: KeyPackage }
  | { readonly kind: 'update'; readonly leaf: Leaf }
  | { readonly kind: 'remove'; readonly leafIndex: number }
  | { readonly kind: 'psk'; readonly psk: Psk }
  | { readonly kind: 'reinit' }
  | { readonly kind: 'external_init'; readonly kemOutput: Uint8Array }
  | { readonly kind: 'extensions'; readonly extensions: Uint8Array }
  | { readonly kind: 'custom' }

export const readProposal = (from: Cursor): Proposal => {
  switch (from.uint(2)) {
    case 1:
      return { kind: 'add', keyPackage: readKeyPackage(from) }
    case 2:
      return { kind: 'update', leaf: readLeaf(from) }
    case 3:
      return { kind: 'remove', leafIndex: from.uint(4) }
    case 4:
      return { kind: 'psk', psk: readPsk(from) }
    case 5:
      from.opaque()
      from.take(4)
      from.opaque()
      return { kind: 'reinit' }
    case 6:
      return { kind: 'external_init', kemOutput: from.opaque() }
    case 7:
      return { kind: 'extensions', extensions: from.opaque() }
    default:
      from.opaque()
      return { kind: 'custom' }
  }
}

export interface Sealed {
  readonly kemOutput: Uint8Array
  readonly ciphertext: Uint8Array
}

export const readSealed = (from: Cursor): Sealed => ({ kemOutput: from.opaque(), ciphertext: from.opaque() })

export interface Path {
  readonly leaf: Leaf
  readonly nodes: readonly { readonly encryptionKey: Uint8Array; readonly secrets: readonly Sealed[] }[]
}

export interface Commit {
  readonly proposals: readonly ({ readonly ref: string } | { readonly proposal: Proposal })[]
  readonly path: Path | undefined
}

/** Section 12.4. */
export const readCommit = (from: Cursor): Commit => ({
  proposals: from.list((each) => (each.uint(1) === 1 ? { proposal: readProposal(each) } : { ref: hexOf(each.opaque()) })),
  path: from.maybe((inner) => ({
    leaf: readLeaf(inner),
    nodes: inner.list((node) => ({ encryptionKey: node.opaque(), secrets: node.list(readSealed) })),
  })),
})

export type Content =
  | { readonly kind: 'application'; readonly data: Uint8Array }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'commit'; readonly commit: Commit }

export const readContent = (from: Cursor, type: number): Content => {
  if (type === 1) return { kind: 'application', data: from.opaque() }
  return type === 2 ? { kind: 'proposal', proposal: readProposal(from) } : { kind: 'commit', commit: readCommit(from) }
}

export interface Framed {
  /** FramedContent, byte by byte. */
  readonly raw: Uint8Array
  /** FramedContentAuthData, byte by byte. */
  readonly auth: Uint8Array
  readonly wireFormat: 1 | 2
  readonly epoch: bigint
  /** The leaf of a member, undefined for a newcomer. */
  readonly sender: number | undefined
  readonly content: Content
  readonly signature: Uint8Array
  readonly confirmationTag: Uint8Array
}

/** FramedContentAuthData (section 6.1). */
export const readAuth = (from: Cursor, content: Content): Pick<Framed, 'auth' | 'signature' | 'confirmationTag'> => {
  const { raw, value } = from.raw((inner) => ({
    signature: inner.opaque(),
    confirmationTag: content.kind === 'commit' ? inner.opaque() : new Uint8Array(),
  }))
  return { auth: raw, ...value }
}

export interface PublicMessage extends Framed {
  readonly membershipTag: Uint8Array
}

/** A PublicMessage (section 6.2) after the four bytes of version and wire format. */
export const readPublicMessage = (from: Cursor): PublicMessage => {
  const { raw, value } = from.raw((inner) => {
    inner.opaque()
    const epoch = Buffer.from(inner.take(8)).readBigUInt64BE()
    const senderType = inner.uint(1)
    const index = senderType < 3 ? inner.uint(4) : undefined
    inner.opaque()
    return { epoch, sender: senderType === 1 ? index : undefined, content: readContent(inner, inner.uint(1)) }
  })
  const auth = readAuth(from, value.content)
  const membershipTag = value.sender === undefined ? new Uint8Array() : from.opaque()
  return { raw, wireFormat: 1, ...value, ...auth, membershipTag }
}

export interface PrivateMessage {
  readonly groupId: Uint8Array
  readonly epoch: bigint
  readonly contentType: number
  readonly authenticatedData: Uint8Array
  readonly senderData: Uint8Array
  readonly ciphertext: Uint8Array
}

/** Section 6.3. */
export const readPrivateMessage = (from: Cursor): PrivateMessage => ({
  groupId: from.opaque(),
  epoch: Buffer.from(from.take(8)).readBigUInt64BE(),
  contentType: from.uint(1),
  authenticatedData: from.opaque(),
  senderData: from.opaque(),
  ciphertext: from.opaque(),
})

export interface Context {
  readonly suite: number
  readonly groupId: Uint8Array
  readonly epoch: bigint
  readonly treeHash: Uint8Array
  readonly transcriptHash: Uint8Array
  /** The list's content, without its length. */
  readonly extensions: Uint8Array
}

/** GroupContext (section 8.1). */
export const readContext = (from: Cursor): Context => {
  from.uint(2)
  return {
    suite: from.uint(2),
    groupId: from.opaque(),
    epoch: Buffer.from(from.take(8)).readBigUInt64BE(),
    treeHash: from.opaque(),
    transcriptHash: from.opaque(),
    extensions: from.opaque(),
  }
}

export const writeContext = (context: Context): Uint8Array =>
  join(
    uint(1, 2),
    uint(context.suite, 2),
    opaque(context.groupId),
    uint(context.epoch, 8),
    opaque(context.treeHash),
    opaque(context.transcriptHash),
    opaque(context.extensions),
  )

export interface GroupInfo {
  readonly signedPart: Uint8Array
  readonly context: Context
  readonly extensions: ReadonlyMap<number, Uint8Array>
  readonly confirmationTag: Uint8Array
  readonly signer: number
  readonly signature: Uint8Array
}

/** Section 12.4.3. */
export const readGroupInfo = (from: Cursor): GroupInfo => {
  const { raw, value } = from.raw((inner) => ({
    context: readContext(inner),
    extensions: new Map(inner.list((each) => [each.uint(2), each.opaque()] as const)),
    confirmationTag: inner.opaque(),
    signer: inner.uint(4),
  }))
  return { ...value, signedPart: raw, signature: from.opaque() }
}
