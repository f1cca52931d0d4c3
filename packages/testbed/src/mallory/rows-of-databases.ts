/** Rows of the databases of a stage, read for what they are. */
import { type AccountId, DeviceId, EntryKind, type Entry } from '@tacit/contract'
import type { Messenger } from '@tacit/sdk'

/** An entry of the server's log. */
export function entryOf(row: Readonly<Record<string, unknown>>): Entry {
  const { bytes } = row
  return {
    seq: Number(row['seq']),
    epoch: Number(row['epoch']),
    kind: EntryKind.parse(row['kind']),
    sender: DeviceId.parse(row['sender']),
    clientSeq: Number(row['client_seq']),
    time: Number(row['time']),
    bytes: bytes instanceof Uint8Array ? new Uint8Array(bytes) : new Uint8Array(),
  }
}

/** Whose device it is. Throws when nobody is signed in. */
export function selfOf(messenger: Pick<Messenger, 'watch'>): { readonly account: AccountId; readonly device: DeviceId } {
  const session = messenger.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('nobody is signed in')
  return { account: session.me.account, device: session.device }
}
