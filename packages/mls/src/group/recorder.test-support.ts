/** Secrets as they are derived, recorded and sorted by their RFC 9420 label into consumed and live, for searches of stores and states. */
import { vi } from 'vitest'
import type { Seat } from '../conformance/world.ts'
import { hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import type { Bytes, Group } from '../port.ts'
import { stateOf } from './handle.ts'

/** Labels below which a secret is used up by the first derivation from it (RFC 9420 section 9.2). */
const TREE_LABELS = new Set(['tree', 'handshake', 'application', 'key', 'nonce', 'secret'])
/** Labels of secrets that are used up in the step that makes them. */
const PASSING = new Set(['key', 'nonce', 'joiner', 'epoch', 'welcome', 'path', 'node'])
/** Labels of secrets that live as long as their epoch. */
const EPOCH = ['sender data', 'exporter', 'external', 'confirm', 'membership', 'resumption', 'authentication', 'init']

export class Recorder {
  readonly #byLabel = new Map<string, string[]>()
  readonly #consumed = new Set<string>()
  readonly #pairs = new Map<string, KeyPair>()

  constructor({ hash, hpke }: CipherSuite) {
    const { expand, expandAll, extract } = hash
    vi.spyOn(hash, 'expand').mockImplementation((prk, info, length) => {
      const made = expand(prk, info, length)
      this.#noteExpanded(labelOf(info), { prk, made })
      return made
    })
    vi.spyOn(hash, 'expandAll').mockImplementation((prk, wanted) => {
      const all = expandAll(prk, wanted)
      wanted.forEach(({ info }, at) => this.#noteExpanded(labelOf(info), { prk, made: all[at] ?? prk }))
      return all
    })
    vi.spyOn(hash, 'extract').mockImplementation((salt, ...ikm) => {
      const made = extract(salt, ...ikm)
      this.#consumed.add(hex(made))
      return made
    })
    const { derive, generate } = hpke.kem
    const keep = (pair: KeyPair): KeyPair => {
      this.#pairs.set(hex(pair.publicKey), { publicKey: pair.publicKey.slice(), secretKey: pair.secretKey.slice() })
      return pair
    }
    vi.spyOn(hpke.kem, 'derive').mockImplementation(async (secret) => keep(await derive(secret)))
    vi.spyOn(hpke.kem, 'generate').mockImplementation(async () => keep(await generate()))
  }

  #noteExpanded(label: string | undefined, { prk, made }: { prk: Bytes; made: Bytes }): void {
    if (label === undefined) return
    if (TREE_LABELS.has(label)) this.#consumed.add(hex(prk))
    if (PASSING.has(label)) this.#consumed.add(hex(made))
    const known = this.#byLabel.get(label) ?? []
    const secret = hex(made)
    if (known.at(-1) !== secret && !known.includes(secret, -8)) known.push(secret)
    this.#byLabel.set(label, known)
  }

  /** Everything that nobody may have any more, when all members are in one epoch and have read everything. */
  consumed(publicKeys: ReadonlySet<string>): Set<string> {
    const consumed = new Set(this.#consumed)
    for (const label of EPOCH)
      for (const secret of (this.#byLabel.get(label) ?? []).slice(0, label === 'sender data' ? -2 : -1)) consumed.add(secret)
    for (const [publicKey, { secretKey }] of this.#pairs) if (!publicKeys.has(publicKey)) consumed.add(hex(secretKey))
    // Sender data keys are derived from it under the same labels, and it stays (RFC 9420 section 6.3.2).
    for (const secret of (this.#byLabel.get('sender data') ?? []).slice(-2)) consumed.delete(secret)
    return consumed
  }

  /** What message keys were derived from, and the keys themselves. */
  spentInTrees(): Set<string> {
    const spent = new Set(this.#consumed)
    for (const secret of this.#byLabel.get('sender data') ?? []) spent.delete(secret)
    return spent
  }

  /** The newest secret of a label. */
  latest(label: string): string {
    return this.#byLabel.get(label)?.at(-1) ?? ''
  }
}

/** The label of a KDFLabel: two bytes of length, a length-prefixed "MLS 1.0 " and the label. Undefined for HPKE's derivations. */
const labelOf = (info: Bytes): string | undefined => {
  const [, , length = 0] = info
  const label = new TextDecoder().decode(info.subarray(3, 3 + length))
  return label.startsWith('MLS 1.0 ') ? label.slice(8) : undefined
}

export const publicKeysOf = (group: Group): Set<string> => {
  const { tree } = stateOf(group)
  return new Set(Array.from({ length: 2 * tree.leafCount - 1 }, (_, node) => hex(tree.publicKeyOf(node) ?? new Uint8Array())))
}

export const storeOf = (seat: Seat): string => seat.rows.map(hex).join('|')
