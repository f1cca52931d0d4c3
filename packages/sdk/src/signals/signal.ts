/**
 * Signals: what the members tell each other beside the log, sealed under a key of the epoch. CBOR [1, 'typing', on] or
 * [1, 'receipt', delivered_seq, read_seq]; fields of newer clients at the end are ignored.
 */
import { CborError, decodeCbor, encodeCbor, type ConversationId, type DeviceId } from '@tacit/contract'
import type { Reader } from '../local-store/driver.ts'
import { openBytes, sealBytes } from '../sealing.ts'
import type { Random } from '../surroundings.ts'
import { signalContext, signalKey } from './signal-keys.ts'

export type Signal =
  | { readonly kind: 'typing'; readonly on: boolean }
  /** Everything up to `delivered` is stored on the sending device, everything up to `read` was seen by its person. */
  | { readonly kind: 'receipt'; readonly delivered: number; readonly read: number }

export interface Envelope {
  readonly conversation: ConversationId
  readonly epoch: number
  readonly sender: DeviceId
}

/** Undefined when this device has no key of that epoch. */
export async function sealSignal(
  reader: Reader,
  { envelope, signal, random }: { envelope: Envelope; signal: Signal; random: Random },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const key = await signalKey(reader, envelope)
  return key && sealBytes({ key, bytes: encodeSignal(signal), context: signalContext(envelope), random })
}

/** Undefined for an epoch that is not ours, and for anything that is not what its sender sealed. */
export async function openSignal(
  reader: Reader,
  { envelope, bytes }: { envelope: Envelope; bytes: Uint8Array },
): Promise<Signal | undefined> {
  const key = await signalKey(reader, envelope)
  const opened = key && (await openBytes({ key, sealed: bytes, context: signalContext(envelope) }))
  return opened && readSignal(opened)
}

const encodeSignal = (signal: Signal): Uint8Array<ArrayBuffer> =>
  encodeCbor(signal.kind === 'typing' ? [1, 'typing', signal.on] : [1, 'receipt', signal.delivered, signal.read])

function readSignal(bytes: Uint8Array): Signal | undefined {
  try {
    const value = decodeCbor(bytes)
    const [version, kind, first, second] = Array.isArray(value) ? value : []
    if (version !== 1) return undefined
    if (kind === 'typing' && typeof first === 'boolean') return { kind, on: first }
    if (kind === 'receipt' && isPosition(first) && isPosition(second)) return { kind, delivered: first, read: second }
    return undefined
  } catch (error) {
    if (error instanceof CborError) return undefined
    throw error
  }
}

const isPosition = (value: unknown): value is number => typeof value === 'number' && value >= 0
