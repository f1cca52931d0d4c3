/** What travels with a commit besides its bytes, stored so that a retry says exactly the same. */
import { AccountId, decodeCbor, DeviceId, encodeCbor } from '@tacit/contract'
import { storeError } from '../local-store/failure.ts'

export interface Baggage {
  readonly welcomes: readonly { readonly device: DeviceId; readonly bytes: Uint8Array }[]
  readonly groupInfo: Uint8Array
  readonly added: readonly { readonly account: AccountId; readonly device: DeviceId }[]
  readonly removed: readonly DeviceId[]
  /** Of a join: the note found in the GroupInfo, which starts the transcript. */
  readonly note: Uint8Array
}

export const encodeBaggage = (baggage: Baggage): Uint8Array<ArrayBuffer> =>
  encodeCbor([
    baggage.welcomes.map(({ device, bytes }) => [device, bytes]),
    baggage.groupInfo,
    baggage.added.map(({ account, device }) => [account, device]),
    [...baggage.removed],
    baggage.note,
  ])

/** The inverse, for what this device stored. */
export function readBaggage(bytes: Uint8Array | undefined): Baggage {
  try {
    const [welcomes, groupInfo, added, removed, note] = list(bytes && decodeCbor(bytes))
    return {
      welcomes: list(welcomes).map((pair) => ({ device: DeviceId.parse(list(pair)[0]), bytes: binary(list(pair)[1]) })),
      groupInfo: binary(groupInfo),
      added: list(added).map((pair) => ({ account: AccountId.parse(list(pair)[0]), device: DeviceId.parse(list(pair)[1]) })),
      removed: list(removed).map((device) => DeviceId.parse(device)),
      note: binary(note),
    }
  } catch (error) {
    throw storeError('damaged', error)
  }
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw storeError('damaged')
  return value
}

function binary(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw storeError('damaged')
  return value
}
