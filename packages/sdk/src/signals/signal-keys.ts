/**
 * Keys of signals: one secret per epoch from the MLS exporter, from which each sending device's key is derived. Those of
 * recent epochs are kept, because a receipt is a current value and may have been sealed a while ago.
 */
import { encodeCbor, type ConversationId, type DeviceId } from '@tacit/contract'
import type { Group, MlsEngine } from '@tacit/mls'
import { blob } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { deriveKey } from '../sealing.ts'

const LABEL = 'tacit signal'

/** Epochs whose receipts still open. */
const KEPT_EPOCHS = 64

/** The signal secret of the group's epoch, 32 bytes. */
export const epochSignalSecret = (engine: MlsEngine, group: Group): Promise<Uint8Array> =>
  engine.exportSecret(group, LABEL, new Uint8Array(), 32)

export async function saveSignalSecret(
  writer: Writer,
  { conversation, epoch, secret }: { conversation: ConversationId; epoch: number; secret: Uint8Array },
): Promise<void> {
  await writer.run('insert or replace into signal_key (conversation, epoch, key) values (?, ?, ?)', [conversation, epoch, secret])
  await writer.run('delete from signal_key where conversation = ? and epoch < ?', [conversation, epoch - KEPT_EPOCHS])
}

/** The key under which a device's signals of an epoch are sealed; undefined when the epoch is not ours (any more). */
export async function signalKey(
  reader: Reader,
  signal: { readonly conversation: ConversationId; readonly epoch: number; readonly sender: DeviceId },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const row = await reader.get('select key from signal_key where conversation = ? and epoch = ?', [signal.conversation, signal.epoch])
  return row && deriveKey({ secret: blob(row, 'key'), salt: new Uint8Array(), info: signalContext(signal) })
}

/** Binds a signal to its conversation, epoch and sender. */
export const signalContext = (signal: { readonly conversation: ConversationId; readonly epoch: number; readonly sender: DeviceId }) =>
  encodeCbor([signal.conversation, signal.epoch, signal.sender])
