/** The secrets of an epoch as the second opinion keeps them, and what they open (RFC 9420 sections 6.3, 8 and 9). */
import { derive, expandWithLabel, openAead } from './primitives.ts'
import type { Pair, Suite } from './primitives.ts'
import { wayTo } from './tree.ts'
import type { Node } from './tree.ts'
import { Cursor, join, opaque, readAuth, readContent, uint } from './wire.ts'
import type { Context, Framed, PrivateMessage } from './wire.ts'

type Bytes = Uint8Array

interface Secrets {
  readonly senderData: Bytes
  readonly encryption: Bytes
  readonly external: Bytes
  readonly confirmation: Bytes
  readonly membership: Bytes
  readonly resumption: Bytes
  readonly authenticator: Bytes
  readonly init: Bytes
}

export interface Epoch {
  readonly suite: Suite
  readonly context: Context
  readonly tree: Node
  readonly interim: Bytes
  readonly secrets: Secrets
  readonly ownLeaf: number
  /** Private keys by the hexadecimal of their public keys. */
  readonly keys: ReadonlyMap<string, Pair>
}

/** The key schedule below epoch_secret (section 8). */
export const secretsOf = (suite: Suite, epochSecret: Bytes): Secrets => {
  const of = (label: string): Bytes => derive(suite, epochSecret, label)
  return {
    senderData: of('sender data'),
    encryption: of('encryption'),
    external: of('external'),
    confirmation: of('confirm'),
    membership: of('membership'),
    resumption: of('resumption'),
    authenticator: of('authentication'),
    init: of('init'),
  }
}

/** The secret of a leaf in the secret tree (section 9). */
const leafSecret = ({ suite, tree, secrets }: Epoch, leafIndex: number): Bytes => {
  let secret = secrets.encryption
  for (const { branch, off } of wayTo(tree, leafIndex)) {
    const context = new Uint8Array(Buffer.from(off === branch.right ? 'left' : 'right'))
    secret = expandWithLabel(suite, secret, { label: 'tree', context, length: suite.hashLength })
  }
  return secret
}

/** Key and nonce of one generation (section 9.1), derived from the beginning each time. */
const messageKey = (epoch: Epoch, of: { leafIndex: number; ratchet: string; generation: number }): { key: Bytes; nonce: Bytes } => {
  const { suite } = epoch
  let secret = derive(suite, leafSecret(epoch, of.leafIndex), of.ratchet)
  for (let generation = 0; generation < of.generation; generation++) {
    secret = expandWithLabel(suite, secret, { label: 'secret', context: uint(generation, 4), length: suite.hashLength })
  }
  const context = uint(of.generation, 4)
  return {
    key: expandWithLabel(suite, secret, { label: 'key', context, length: suite.keyLength }),
    nonce: expandWithLabel(suite, secret, { label: 'nonce', context, length: 12 }),
  }
}

/** Section 6.3. */
export const openPrivate = (epoch: Epoch, message: PrivateMessage): Framed => {
  const { suite, secrets } = epoch
  const { groupId, contentType, authenticatedData, ciphertext } = message
  const context = ciphertext.subarray(0, suite.hashLength)
  const of = (label: string, length: number): Bytes => expandWithLabel(suite, secrets.senderData, { label, context, length })
  const header = join(opaque(groupId), uint(message.epoch, 8), uint(contentType, 1))
  const sender = new Cursor(openAead(suite, { key: of('key', suite.keyLength), nonce: of('nonce', 12), aad: header }, message.senderData))
  const [leafIndex, generation, guard] = [sender.uint(4), sender.uint(4), sender.take(4)]
  const { key, nonce } = messageKey(epoch, { leafIndex, ratchet: contentType === 1 ? 'application' : 'handshake', generation })
  const guarded = nonce.map((byte, at) => byte ^ (guard[at] ?? 0))
  const aad = join(header, opaque(authenticatedData))
  const from = new Cursor(openAead(suite, { key, nonce: guarded, aad }, ciphertext))
  const body = from.raw((inner) => readContent(inner, contentType))
  const auth = readAuth(from, body.value)
  if (from.take(from.bytes.length - from.at).some((byte) => byte !== 0)) throw new Error('second opinion: padding')
  const raw = join(
    opaque(groupId),
    uint(message.epoch, 8),
    uint(1, 1),
    uint(leafIndex, 4),
    opaque(authenticatedData),
    uint(contentType, 1),
    body.raw,
  )
  return { raw, wireFormat: 2, epoch: message.epoch, sender: leafIndex, content: body.value, ...auth }
}
