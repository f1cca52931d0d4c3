/** MLS messages with a true framing header (RFC 9420 section 6) and meaningless rest: all that the server looks at. */
import { randomBytes } from 'node:crypto'
import { fromBase64Url, type ConversationId } from '@tacit/contract'

export interface Framed {
  readonly conversation: ConversationId
  readonly epoch: number
  /** Bytes of what would be ciphertext. */
  readonly size?: number
}

/** A sealed application message. */
export const framedMessage = ({ conversation, epoch, size = 40 }: Framed): Uint8Array<ArrayBuffer> =>
  new Uint8Array([
    0,
    1,
    0,
    2,
    ...groupAndEpoch({ conversation, epoch }),
    1,
    ...vector([]),
    ...vector(randomBytes(12)),
    ...vector(randomBytes(size)),
  ])

/** A commit or proposal in the clear, by a member; or a commit by a device that joins with it. */
export const framedHandshake = ({
  conversation,
  epoch,
  content = 'commit',
  by = 'member',
  size = 60,
}: Framed & { content?: 'commit' | 'proposal'; by?: 'member' | 'joiner' }): Uint8Array<ArrayBuffer> => {
  const sender = by === 'member' ? [1, 0, 0, 0, 0] : [4]
  const type = content === 'commit' ? 3 : 2
  return new Uint8Array([0, 1, 0, 1, ...groupAndEpoch({ conversation, epoch }), ...sender, ...vector([]), type, ...randomBytes(size)])
}

const groupAndEpoch = ({ conversation, epoch }: Framed): number[] => {
  const id = fromBase64Url(conversation)
  if (!id) throw new TypeError('expected a conversation id')
  const eight = Buffer.alloc(8)
  eight.writeBigUInt64BE(BigInt(epoch))
  return [...vector(id), ...eight]
}

/** A length-prefixed vector (RFC 9420 section 2.1.2). */
function vector(bytes: Iterable<number>): number[] {
  const content = [...bytes]
  const { length } = content
  if (length < 64) return [length, ...content]
  if (length < 16_384) return [0x40 | (length >> 8), length & 0xff, ...content]
  return [0x80 | (length >> 24), (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff, ...content]
}
