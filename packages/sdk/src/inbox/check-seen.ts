/** Compares what a sender saw of the log with what this device saw. A difference means that the server shows different logs. */
import { equalBytes, type Entry } from '@tacit/contract'
import type { Seen } from '../conversations/transcript.ts'
import type { Reading } from './reading.ts'

/** Adds a notice that cannot be missed when they differ; positions that this device does not know are no evidence. */
export async function checkSeen(reading: Reading, { entry, seen }: { entry: Entry; seen: Seen }): Promise<void> {
  // A joiner without a transcript begins with the first that a member vouches for right here.
  if (reading.state.transcript.length === 0 && seen.seq === entry.seq - 1) reading.state = { ...reading.state, transcript: seen.transcript }
  const ours = await reading.transcriptAt(seen.seq)
  if (seen.seq < entry.seq && (!ours || equalBytes(ours, seen.transcript))) return
  reading.suspicious = true
  reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'fork' } })
}
