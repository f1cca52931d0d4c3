/**
 * What the server says about one account in the log, with its proof: the newest head, that it continues the one the device
 * knows, the newest entry, and the account's place in the map that this entry names. At most about 2 KB with 100,000 accounts.
 */
import { z } from 'zod'
import { equalBytes, rawBytes } from '../bytes.ts'
import { encodeCbor } from '../cbor.ts'
import { parseCbor } from '../signed.ts'
import { readEntry } from './entry.ts'
import { LONGEST_HEAD, readHead, type LogHead } from './head.ts'
import { hashLeaf, isConsistent, rootByInclusion, type LogState } from './log-tree.ts'
import { NOTHING, rootByPlace, type Placed } from './prefix-tree.ts'

const EMPTY = new Uint8Array()

export interface PlaceProof {
  /** Signed and encoded. */
  readonly head: Uint8Array
  /** That `head` continues what the asker knew; empty when it knew nothing. */
  readonly consistency: readonly Uint8Array[]
  /** The newest entry of the log, encoded. */
  readonly entry: Uint8Array
  readonly entryPath: readonly Uint8Array[]
  /** Siblings from the root of the map down to the account's label. */
  readonly mapPath: readonly Uint8Array[]
}

const hash = rawBytes({ min: 32, max: 32 })
/** Nothing beside the path is said with no bytes: deep down there is mostly nothing. */
const sibling = hash.or(rawBytes({ max: 0 }))
const logPath = z.array(hash).max(64)
const ProofArray = z.tuple([rawBytes({ max: LONGEST_HEAD }), logPath, rawBytes({ max: 128 }), logPath, z.array(sibling).max(256)])

export const encodeProof = ({ head, consistency, entry, entryPath, mapPath }: PlaceProof): Uint8Array<ArrayBuffer> =>
  encodeCbor([head, consistency, entry, entryPath, mapPath.map((one) => (equalBytes(one, NOTHING) ? EMPTY : one))])

export function readProof(bytes: Uint8Array): PlaceProof | undefined {
  const parsed = parseCbor(ProofArray, bytes)
  if (!parsed) return undefined
  const [head, consistency, entry, entryPath, siblings] = parsed
  return { head, consistency, entry, entryPath, mapPath: siblings.map((one) => (one.length === 0 ? NOTHING : one)) }
}

export type ProofVerdict =
  | { readonly kind: 'proved'; readonly head: LogHead }
  /** Not what an honest server would say; nothing in it convicts anybody. */
  | { readonly kind: 'unproved' }
  /** A head signed by the log's key that does not continue the known one. */
  | { readonly kind: 'rewritten'; readonly head: LogHead }
  /** Another log altogether than the known one. */
  | { readonly kind: 'other_log'; readonly head: LogHead }
  /** The log is sound and holds something else for this account. */
  | { readonly kind: 'not_logged'; readonly head: LogHead }

/** Judges a proof that the log's newest state holds `placed`. `known`: the newest head that the device has verified. */
export async function judgeProof(claim: {
  readonly proof: PlaceProof
  readonly placed: Placed
  readonly known: (LogState & { readonly key: Uint8Array }) | undefined
}): Promise<ProofVerdict> {
  const { proof, placed, known } = claim
  const head = await readHead(proof.head)
  const entry = readEntry(proof.entry)
  if (!head || !entry || head.size === 0) return { kind: 'unproved' }
  if (known && !equalBytes(known.key, head.key)) return { kind: 'other_log', head }
  if (known && !isConsistent({ earlier: known, later: head, path: proof.consistency })) return { kind: 'rewritten', head }
  const root = rootByInclusion({ at: head.size - 1, size: head.size, leaf: hashLeaf(proof.entry), path: proof.entryPath })
  if (!root || !equalBytes(root, head.root)) return { kind: 'unproved' }
  const mapRoot = rootByPlace(placed, proof.mapPath)
  return mapRoot && equalBytes(mapRoot, entry.mapRoot) ? { kind: 'proved', head } : { kind: 'not_logged', head }
}
