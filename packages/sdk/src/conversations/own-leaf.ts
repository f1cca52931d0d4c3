/** This device's own leaf: whether it still says what the device is. */
import { equalBytes } from '@tacit/contract'
import type { Group, LeafIdentity } from '@tacit/mls'

/** The certificate was renewed since the leaf was made: any commit of this device brings the new one in. */
export function isOutdated({ members, ownLeafIndex }: Group, { credential }: LeafIdentity): boolean {
  const own = members.find(({ leafIndex }) => leafIndex === ownLeafIndex)
  return own !== undefined && !equalBytes(own.credential, credential)
}
