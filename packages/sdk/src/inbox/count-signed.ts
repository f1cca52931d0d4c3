/** A sender's counter, as its signature says it. Gaps are evidence that the server left something out. */
import type { DeviceId, Entry } from '@tacit/contract'
import type { Counter, Reading } from './reading.ts'

/**
 * Where a counter that its sender has signed stands. Entries in that name which did not open may each have used one: so many
 * may be missing, and a server that invents some makes no honest message a repeat.
 */
export function placeOf(clientSeq: number, last: Counter | undefined): 'next' | 'repeat' | 'gap' {
  if (!last) return 'next'
  if (clientSeq <= last.clientSeq) return 'repeat'
  return clientSeq <= last.clientSeq + 1 + last.unopened ? 'next' : 'gap'
}

/** Of what cannot be replayed: a handshake's epoch is over, a NACK says nothing new. A counter that is not new changes nothing. */
export async function countSigned(reading: Reading, entry: Entry, by: { device: DeviceId; clientSeq: number }): Promise<void> {
  const place = placeOf(by.clientSeq, await reading.counterOf(by.device))
  if (place === 'gap') reading.addItem(entry, { kind: 'notice', notice: { kind: 'tampering', what: 'gap' } })
  if (place !== 'repeat') reading.setCounter(by.device, by.clientSeq)
}
