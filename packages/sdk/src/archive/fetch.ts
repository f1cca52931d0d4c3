/** What the server has of the archive, fetched and checked: the head against what this device has seen, segments against the head. */
import { equalBytes, Refusal, routes, type AccountId } from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import { sha256 } from '../sealing.ts'
import { Unreachable } from '../trouble.ts'
import type { ArchiveKeys } from './archive-keys.ts'
import type { ArchiveAlarm, KnownHead } from './archive.store.ts'
import { decodeHead, EMPTY_HEAD, MARK, markBefore, type Head, type SegmentEntry } from './head.ts'
import { openPiece } from './sealed.ts'
import { decodeSegment, type Segment } from './segment.ts'

export interface ArchiveAccess {
  readonly session: Pick<Session, 'call'>
  readonly account: AccountId
  readonly keys: ArchiveKeys
}

/** The archive as the server has it now. */
export interface Current {
  readonly version: number
  /** The beginning of the hash of the sealed head; empty before the first. */
  readonly mark: Uint8Array
  readonly head: Head
  /** Bytes of all segments, and how many there may be. */
  readonly used: number
  readonly quota: number
}

export type FetchedHead =
  | { readonly kind: 'head'; readonly current: Current }
  /** What the server gave does not open: it is not what an own device wrote, or it is sealed under a key that is not here. */
  | { readonly kind: 'unreadable'; readonly version: number }

export async function fetchHead({ session, account, keys }: ArchiveAccess): Promise<FetchedHead> {
  const { version, bytes, used, quota } = await session.call(routes.archive.head, {})
  if (version === 0) return { kind: 'head', current: { version, mark: new Uint8Array(), head: EMPTY_HEAD, used, quota } }
  const opened = await openPiece({ place: { kind: 'head', account, version }, keys, sealed: bytes })
  const head = opened.kind === 'opened' ? decodeHead(opened.bytes) : undefined
  return head ? { kind: 'head', current: { version, mark: await markOf(bytes), head, used, quota } } : { kind: 'unreadable', version }
}

export const markOf = async (sealedHead: Uint8Array): Promise<Uint8Array> => (await sha256(sealedHead)).subarray(0, MARK)

/** Whether the server shows an earlier archive than this device has seen, or another one of the same age. */
export function alarmOf(known: Pick<KnownHead, 'version' | 'mark'>, { version, mark, head }: Current): ArchiveAlarm | undefined {
  if (version < known.version) return 'rolled_back'
  if (known.version === 0) return undefined
  const then = version === known.version ? mark : markBefore(head, version - known.version)
  return then && !equalBytes(then, known.mark) ? 'forked' : undefined
}

export type FetchedSegment =
  | { readonly kind: 'segment'; readonly segment: Segment }
  /** The archive has changed since the head was fetched. */
  | { readonly kind: 'changed' }
  /** The server does not give what the head lists. */
  | { readonly kind: 'missing' }
  /** It is what the head lists, and this device cannot read it: a key or a newer program is needed. */
  | { readonly kind: 'unreadable' }

export async function fetchSegment(access: ArchiveAccess, current: Current, entry: SegmentEntry): Promise<FetchedSegment> {
  const { session, account, keys } = access
  const { number, revision } = entry
  const answer = await fetchBytes(session, number)
  if (answer && answer.version !== current.version) return { kind: 'changed' }
  if (!answer || !equalBytes(await sha256(answer.bytes), entry.hash))
    return (await isStill(session, current)) ? { kind: 'missing' } : { kind: 'changed' }
  const opened = await openPiece({ place: { kind: 'segment', account, number, revision }, keys, sealed: answer.bytes })
  const segment = opened.kind === 'opened' ? decodeSegment(opened.bytes) : undefined
  return segment ? { kind: 'segment', segment } : { kind: 'unreadable' }
}

async function fetchBytes(session: ArchiveAccess['session'], number: number) {
  try {
    return await session.call(routes.archive.segment, { params: { number } })
  } catch (error) {
    if (error instanceof Refusal && error.failure === 'not_found') return undefined
    throw error
  }
}

async function isStill(session: ArchiveAccess['session'], current: Current): Promise<boolean> {
  const { version } = await session.call(routes.archive.head, {})
  return version === current.version
}

/** Rejects with `Unreachable` when the segment cannot be had now: whoever needs it tries again later. */
export async function mustFetch(access: ArchiveAccess, current: Current, entry: SegmentEntry): Promise<Segment> {
  const fetched = await fetchSegment(access, current, entry)
  if (fetched.kind !== 'segment') throw new Unreachable(`a segment of the archive is ${fetched.kind}`)
  return fetched.segment
}
