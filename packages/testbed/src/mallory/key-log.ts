/**
 * A server that keeps a second log of device lists for some of its users. It has the real log's key, so what it signs looks
 * right; it copies the real log up to a point and goes its own way from there.
 */
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeEntry, encodeProof, fromBase64Url, logTree, prefixTree, readEntry, signHead, toBase64Url } from '@tacit/contract'
import type { ForgeAnswer } from '../weather.ts'

/** Asks the server for the JSON at a path. */
type Ask = (path: string) => Promise<unknown>

const NOT_FOUND = { type: 'about:blank', title: 'Not found', status: 404, name: 'not_found', next: '', requestId: 'x' }

export class MalloryLog {
  readonly #key: Uint8Array
  readonly #sign: (message: Uint8Array) => Promise<Uint8Array>
  readonly #entries: Uint8Array[] = []
  readonly #places = new Map<string, prefixTree.PrefixNode>()
  readonly #nodes = new Map<string, Uint8Array>()

  readonly #ask: Ask

  private constructor({ seed, ask }: { seed: Uint8Array; ask: Ask }) {
    this.#ask = ask
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    this.#key = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))
    this.#sign = async (message) => new Uint8Array(sign(null, message, privateKey))
  }

  /** With the key of the server whose data is in this folder, and all that its log holds now. */
  static async copyOf({ folder, url }: { folder: string; url: string }): Promise<MalloryLog> {
    const { key } = JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8')) as { key: string }
    const seed = createHmac('sha256', Buffer.from(key, 'base64url')).update('tacit transparency key\0').update('').digest()
    return MalloryLog.copy({ seed, ask: async (path) => (await fetch(url + path)).json() })
  }

  /** With the seed of the server's key, and all that its log holds now. */
  static async copy(server: { seed: Uint8Array; ask: Ask }): Promise<MalloryLog> {
    const mallory = new MalloryLog(server)
    await mallory.copyTail()
    return mallory
  }

  /** Says of everybody what the real log says now. */
  async copyTail(): Promise<void> {
    const { entries } = (await this.#ask('/v1/transparency/entries')) as { entries: string[] }
    for (const entry of entries.flatMap((bytes) => readEntry(fromBase64Url(bytes) ?? new Uint8Array()) ?? [])) {
      const { label, version } = entry
      if (version > (prefixTree.find(this.#places, label)?.placed.version ?? 0)) this.add(entry)
    }
  }

  /** The same entries after another first one. */
  rewrite(first: prefixTree.Placed): void {
    const entries = this.#entries.splice(0).flatMap((bytes) => readEntry(bytes) ?? [])
    this.#places.clear()
    this.#nodes.clear()
    for (const entry of [first, ...entries]) this.add(entry)
  }

  add({ label, version, list }: prefixTree.Placed): void {
    const { root: mapRoot } = prefixTree.place(this.#places, { label, version, list })
    const bytes = encodeEntry({ label, version, list, mapRoot })
    const size = this.#entries.push(bytes) - 1
    for (const node of logTree.completedBy({ size, leaf: logTree.hashLeaf(bytes), node: this.#node }))
      this.#nodes.set(`${node.level}.${node.index}`, node.hash)
  }

  /** Answers everything about the log from this one. */
  readonly forge: ForgeAnswer = (url, body) => {
    const { pathname, searchParams } = new URL(url)
    const number = (name: string): number => Number(searchParams.get(name) ?? 0)
    if (pathname.startsWith('/v1/transparency/places/')) return this.#prove(pathname.slice(24), number('after'))
    if (pathname === '/v1/transparency/consistency') return this.#consistency(number('earlier'), number('later'))
    return body
  }

  #prove(label: string, after: number): Promise<unknown> {
    const found = prefixTree.find(this.#places, fromBase64Url(label) ?? new Uint8Array())
    const size = this.#entries.length
    if (!found) return Promise.resolve(NOT_FOUND)
    const path = (ranges: readonly logTree.Range[]) => ranges.map((range) => logTree.hashRange(range, this.#node))
    return this.#head().then((head) => ({
      status: 200,
      proof: toBase64Url(
        encodeProof({
          head,
          consistency: path(after > 0 && after < size ? logTree.consistencyPath(after, size) : []),
          entry: this.#entries[size - 1] ?? new Uint8Array(),
          entryPath: path(logTree.inclusionPath(size - 1, size)),
          mapPath: found.path,
        }),
      ),
    }))
  }

  #consistency(earlier: number, later: number): unknown {
    if (earlier > later || later > this.#entries.length) return NOT_FOUND
    const ranges = earlier === 0 ? [] : logTree.consistencyPath(earlier, later)
    return { status: 200, path: ranges.map((range) => toBase64Url(logTree.hashRange(range, this.#node))) }
  }

  #head(): Promise<Uint8Array> {
    const size = this.#entries.length
    const root = logTree.hashRange({ from: 0, to: size }, this.#node)
    return signHead({ key: this.#key, size, root, time: 0 }, this.#sign)
  }

  readonly #node = ({ level, index }: logTree.NodeId): Uint8Array => {
    const hash = this.#nodes.get(`${level}.${index}`)
    if (!hash) throw new Error('not in this log')
    return hash
  }
}
