/**
 * A NACK of somebody else (RFC 9750 section 5.3): their device could not process a commit. Whoever could remembers it, and
 * brings the device back unless it comes by itself (conversations/housekeeping.ts).
 */
import { isNackOf, readNack, type DeviceCertificate, type Entry, type Nack } from '@tacit/contract'
import { addStranded } from '../conversations/nack.store.ts'
import { countSigned } from './count-signed.ts'
import type { Reading } from './reading.ts'

/** Whether the entry was a NACK whose signature holds; anything else is left to be opened. */
export async function readForeignNack(reading: Reading, entry: Entry): Promise<boolean> {
  const nack = entry.kind === 'nack' ? readNack(entry.bytes) : undefined
  if (!nack || nack.conversation !== reading.conversation || nack.commit >= entry.seq) return false
  const sender = await signerOf(reading, { entry, nack })
  if (!sender) return false
  const { conversation } = reading
  const { account, device } = sender
  await countSigned(reading, entry, { device, clientSeq: nack.clientSeq })
  reading.write((writer) => addStranded(writer, { conversation, account, device }))
  return true
}

async function signerOf({ core, group }: Reading, { entry, nack }: { entry: Entry; nack: Nack }): Promise<DeviceCertificate | undefined> {
  for (const { credential, signatureKey } of group?.members ?? []) {
    const certificate = await core.certificates.read(credential)
    if (certificate?.device === nack.device) return (await isNackOf(entry.bytes, signatureKey)) ? certificate : undefined
  }
  return undefined
}
