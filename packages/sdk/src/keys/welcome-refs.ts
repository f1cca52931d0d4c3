/** Which key packages a Welcome is for (RFC 9420 section 12.4.3.1), read without opening it. */

import { Walker } from './walker.ts'

/** More recipients than one commit can add. */
const MOST = 1024

/** KeyPackageRefs in a Welcome inside an MLSMessage; none for bytes that are something else. The engine parses it strictly afterwards. */
export function welcomeRefs(message: Uint8Array): readonly Uint8Array[] {
  const at = new Walker(message)
  // version mls10 (1), wire format mls_welcome (3), then the cipher suite.
  if (at.number(2) !== 1 || at.number(2) !== 3 || at.number(2) === undefined) return []
  const end = at.enterVector()
  const refs: Uint8Array[] = []
  while (at.offset < end && refs.length < MOST) {
    const ref = at.opaque()
    // HPKECiphertext: kem_output, ciphertext.
    if (!ref || !at.opaque() || !at.opaque()) return []
    refs.push(ref)
  }
  return refs
}
