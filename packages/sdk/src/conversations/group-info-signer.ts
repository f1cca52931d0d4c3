/** Which leaf signed a GroupInfo (RFC 9420 section 12.4.3), read without opening it. */
import { Walker } from '../keys/walker.ts'

/** The leaf index in a GroupInfo inside an MLSMessage. Means something only once the engine found the GroupInfo sound. */
export function groupInfoSigner(message: Uint8Array): number | undefined {
  const at = new Walker(message)
  // version mls10 (1), wire format mls_group_info (4).
  if (at.number(2) !== 1 || at.number(2) !== 4) return undefined
  // GroupContext: version, cipher suite, group_id, epoch, tree_hash, confirmed_transcript_hash, extensions.
  at.number(2)
  at.number(2)
  at.opaque()
  at.number(8)
  for (const _ of ['tree hash', 'transcript hash', 'context extensions', 'extensions', 'confirmation tag']) at.opaque()
  return at.number(4)
}
