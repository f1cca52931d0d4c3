/**
 * What the server checks in the clear header of an MLS message before it enters a log: that it is framed at all, for this
 * conversation and epoch, and is of a kind that may travel this way. Of a sealed message that is all; handshakes are verified (conversations/verify-*.ts).
 */
import { MlsError, readFramingHeader, type FramingHeader } from '@tacit/mls/public'
import { Refusal, type ConversationId } from '@tacit/contract'

export interface Claimed {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly bytes: Uint8Array
}

/** The header, if it says what the command says; else `malformed` or `unsupported`. */
export function readClaimedHeader({ conversation, epoch, bytes }: Claimed): FramingHeader {
  const header = readHeader(bytes)
  if (asId(header.groupId) !== conversation) throw new Refusal('malformed', { field: 'conversation' })
  if (header.epoch !== BigInt(epoch)) throw new Refusal('malformed', { field: 'epoch' })
  return header
}

/** Application messages are always private, proposals always public; a commit has its own command. */
export function kindOfSent(header: FramingHeader): 'message' | 'proposal' {
  if (header.wireFormat === 'private' && header.contentType === 'application') return 'message'
  if (header.wireFormat === 'public' && header.contentType === 'proposal' && header.sender?.kind === 'member') return 'proposal'
  throw new Refusal('unsupported')
}

function readHeader(bytes: Uint8Array): FramingHeader {
  try {
    return readFramingHeader(bytes)
  } catch (error) {
    if (error instanceof MlsError) throw new Refusal(error.reason === 'unsupported' ? 'unsupported' : 'malformed')
    throw error
  }
}

const asId = (groupId: Uint8Array): string => Buffer.from(groupId.buffer, groupId.byteOffset, groupId.byteLength).toString('base64url')
