/** Compares what a sender saw of the log with what this device saw. A difference means that the server shows different logs. */
import { equalBytes, type Entry } from '@tacit/contract'
import type { Seen } from '../conversations/transcript.ts'
import type { Reading } from './reading.ts'

/** Adds a notice that cannot be missed when they differ; positions that this device does not know are no evidence. */
export async function checkSeen(reading: Reading, { entry, seen }: { entry: Entry; seen: Seen }): Promise<void> {
  const ours = await reading.transcriptAt(seen.seq)
  if (seen.seq < entry.seq && (!ours || equalBytes(ours, seen.transcript))) return
  reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'fork' } })
}
