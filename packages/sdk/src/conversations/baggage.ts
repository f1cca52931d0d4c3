/** What belongs to a commit besides its bytes, stored so that a retry says exactly the same. */
import { decodeCbor, DeviceId, encodeCbor } from '@tacit/contract'
import { storeError } from '../local-store/failure.ts'

export interface Baggage {
  /** For all whom the commit adds. */
  readonly welcome: Uint8Array | undefined
  readonly groupInfo: Uint8Array
  /** Devices that the commit adds, and whether it removes any: for this device to know when the commit is in the log. */
  readonly added: readonly DeviceId[]
  readonly removes: boolean
  /** Of a join: the note found in the GroupInfo, which starts the transcript. */
  readonly note: Uint8Array
}

export const encodeBaggage = ({ welcome, groupInfo, added, removes, note }: Baggage): Uint8Array<ArrayBuffer> =>
  encodeCbor([welcome ?? null, groupInfo, [...added], removes, note])

/** The inverse, for what this device stored. */
export function readBaggage(bytes: Uint8Array | undefined): Baggage {
  const value = bytes && decodeCbor(bytes)
  const [welcome, groupInfo, added, removes, note] = Array.isArray(value) ? value : []
  const isBaggage = groupInfo instanceof Uint8Array && note instanceof Uint8Array && (welcome === null || welcome instanceof Uint8Array)
  if (!isBaggage || !Array.isArray(added)) throw storeError('damaged')
  return { welcome: welcome ?? undefined, groupInfo, added: added.map((device) => DeviceId.parse(device)), removes: removes === true, note }
}
