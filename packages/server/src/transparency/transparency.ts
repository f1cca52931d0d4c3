/**
 * The front door of transparency: an append-only log of device-list versions that anybody can verify, so that showing
 * different lists to different people is found out. It grows in the transaction that changes a list.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  encodeEntry,
  encodeProof,
  equalBytes,
  judgeProof,
  labelOf,
  logTree,
  prefixTree,
  readProof,
  Refusal,
  signHead,
  type AccountId,
  type LogHead,
  type Sign,
} from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Secrets } from '../secrets.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './transparency.store.ts'

export interface TransparencyDeps {
  readonly database: Database
  readonly clock: Clock
  readonly secrets: Pick<Secrets, 'derive'>
}

/** A version of a device list that an account has from now on. */
export interface NewVersion {
  readonly account: AccountId
  readonly version: number
  /** SHA-256 of the list. */
  readonly hash: Uint8Array
}

/** How deep the tree over the labels may grow: two labels that share so many bits took 2^64 tries to find. */
const DEEPEST = 64

/** Lists that a log which begins late takes in one transaction. */
const LISTS_PER_STEP = 500

/** A log that grows while it is read is read again. */
const ATTEMPTS = 8

export class Transparency {
  readonly #deps: TransparencyDeps
  readonly #key: Uint8Array
  readonly #sign: Sign

  constructor(deps: TransparencyDeps) {
    this.#deps = deps
    const seed = deps.secrets.derive('transparency key', '')
    // PKCS #8 of Ed25519 (RFC 8410) is this prefix and the seed.
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    this.#key = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))
    this.#sign = (message) => Promise.resolve(new Uint8Array(sign(null, message, privateKey)))
  }

  /** Takes the lists of a database that is older than its log. */
  async begin(): Promise<void> {
    const { database } = this.#deps
    const lists = await store.listsAfter(database.kysely, '', LISTS_PER_STEP)
    if (lists.length === 0 || (await store.readLog(database.kysely)).size > 0) return
    await database.write(async (tx) => {
      if ((await store.lockLog(tx)).size > 0) return
      for (let page = await store.listsAfter(tx, '', LISTS_PER_STEP); page.length > 0;) {
        for (const { account, version, hash } of page) await this.append(tx, { account, version, hash })
        page = await store.listsAfter(tx, page.at(-1)?.account ?? '', LISTS_PER_STEP)
      }
    })
  }

  /** Logs a version, in the transaction that makes it the current one. */
  async append(tx: Transaction<Tables>, { account, version, hash }: NewVersion): Promise<void> {
    const { size } = await store.lockLog(tx)
    const label = labelOf(account)
    const places = new Places(await store.loadPlaces(tx, prefixTree.prefixesOf(label, DEEPEST)))
    const { root: mapRoot } = prefixTree.place(places, { label, version, list: hash })
    const bytes = encodeEntry({ label, version, list: hash, mapRoot })
    const root = await growLog(tx, size, logTree.hashLeaf(bytes))
    await store.putPlaces(tx, places.changed)
    await store.addEntry(tx, { position: size, bytes })
    const head = { key: this.#key, size: size + 1, root, time: this.#deps.clock.now() }
    await store.setLog(tx, { size: size + 1, head: await signHead(head, this.#sign) })
  }

  /** The newest head, signed. Refuses `not_found` while the log is empty. */
  async head(): Promise<Uint8Array> {
    return (await this.#log(this.#deps.database.kysely)).head
  }

  /** What the log holds for a label, as an encoded `PlaceProof`; `after` is the size that the asker knows. Refuses `not_found`. */
  async prove({ label, after }: { label: Uint8Array; after: number }): Promise<Uint8Array> {
    const { kysely } = this.#deps.database
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { size, head } = await this.#log(kysely)
      const found = prefixTree.find(new Places(await store.loadPlaces(kysely, prefixTree.prefixesOf(label, DEEPEST))), label)
      // Places are overwritten: what was read belongs to this head only if there is no newer one yet.
      if ((await this.#log(kysely)).size !== size) continue
      const [entry] = await store.entriesFrom(kysely, size - 1, 1)
      if (!found || !entry) throw new Refusal('not_found')
      const consistency = await pathOf(kysely, after > 0 && after < size ? logTree.consistencyPath(after, size) : [])
      const entryPath = await pathOf(kysely, logTree.inclusionPath(size - 1, size))
      return encodeProof({ head, consistency, entry, entryPath, mapPath: found.path })
    }
    throw new Refusal('unavailable')
  }

  /**
   * Whether a proof shows that this server once had this version in its log, and that its log has lost it since: it was restored from
   * a backup. Its own signature is what it believes.
   */
  async hadAndLost(tx: Transaction<Tables>, { account, version, hash }: NewVersion, proof: Uint8Array): Promise<boolean> {
    const read = readProof(proof)
    const placed = { label: labelOf(account), version, list: hash }
    const verdict = read && (await judgeProof({ proof: read, placed, known: undefined }))
    if (verdict?.kind !== 'proved' || !equalBytes(verdict.head.key, this.#key)) return false
    return !(await this.#isOfThisLog(tx, verdict.head))
  }

  async #isOfThisLog(tx: Transaction<Tables>, { size, root }: LogHead): Promise<boolean> {
    if (size > (await store.lockLog(tx)).size) return false
    const whole = { from: 0, to: size }
    return equalBytes(logTree.hashRange(whole, await store.loadNodes(tx, logTree.nodesOf(whole))), root)
  }

  /** That the log of `later` entries begins with that of `earlier`. Refuses `not_found` for sizes that it never had in that order. */
  async consistency({ earlier, later }: { earlier: number; later: number }): Promise<Uint8Array[]> {
    const { kysely } = this.#deps.database
    const { size } = await this.#log(kysely)
    if (earlier > later || later > size) throw new Refusal('not_found')
    return pathOf(kysely, earlier === 0 ? [] : logTree.consistencyPath(earlier, later))
  }

  /** The log from a position on, and its newest head. */
  async entries({ from, limit }: { from: number; limit: number }): Promise<{ entries: Uint8Array[]; head: Uint8Array }> {
    const { kysely } = this.#deps.database
    const { head } = await this.#log(kysely)
    return { entries: await store.entriesFrom(kysely, from, limit), head }
  }

  async #log(db: Kysely<Tables>): Promise<{ size: number; head: Uint8Array }> {
    const log = await store.readLog(db)
    if (log.size === 0) throw new Refusal('not_found')
    return log
  }
}

/** Puts a leaf after `size` others. Returns the new root. */
async function growLog(tx: Transaction<Tables>, size: number, leaf: Uint8Array): Promise<Uint8Array> {
  const stored = await store.loadNodes(tx, [...logTree.neighboursOf(size), ...logTree.nodesOf({ from: 0, to: size })])
  const completed = logTree.completedBy({ size, leaf, node: stored })
  await store.addNodes(tx, completed)
  const node: logTree.NodeHash = (id) => completed.find(({ level, index }) => level === id.level && index === id.index)?.hash ?? stored(id)
  return logTree.hashRange({ from: 0, to: size + 1 }, node)
}

async function pathOf(db: Kysely<Tables>, ranges: readonly logTree.Range[]): Promise<Uint8Array[]> {
  const node = await store.loadNodes(db, ranges.flatMap(logTree.nodesOf))
  return ranges.map((range) => logTree.hashRange(range, node))
}

/** Nodes of the tree over the labels that were loaded, and what changed of them. */
class Places implements prefixTree.PrefixNodes {
  readonly changed = new Map<string, prefixTree.PrefixNode>()
  readonly #loaded: ReadonlyMap<string, prefixTree.PrefixNode>

  constructor(loaded: ReadonlyMap<string, prefixTree.PrefixNode>) {
    this.#loaded = loaded
  }

  get(prefix: string): prefixTree.PrefixNode | undefined {
    // Not loaded is not the same as not there.
    if (prefix.length > DEEPEST) throw new Error('two labels share more bits than chance allows')
    return this.changed.get(prefix) ?? this.#loaded.get(prefix)
  }

  set(prefix: string, node: prefixTree.PrefixNode): void {
    this.changed.set(prefix, node)
  }
}
