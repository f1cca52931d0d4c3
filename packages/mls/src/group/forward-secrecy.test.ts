/**
 * Forward secrecy at rest: every secret that any derivation gave is recorded, sorted by its RFC 9420 label into consumed and
 * live, and the rows that members have stored are searched for the bytes of each.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Bytes } from '../port.ts'
import { sizeOf, World } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { HYBRID_SUITE, suiteOf } from '../crypto/suite.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { createMlsEngine } from './engine.ts'
import { stateOf } from './handle.ts'
import { nextKey, secretTreeOf } from './secret-tree.ts'
import { messageDelta } from './slots.ts'

afterEach(() => vi.restoreAllMocks())

/** Labels below which a secret is used up by the first derivation from it (RFC 9420 section 9.2). */
const TREE_LABELS = new Set(['tree', 'handshake', 'application', 'key', 'nonce', 'secret'])
/** Labels of secrets that are used up in the step that makes them. */
const PASSING = new Set(['key', 'nonce', 'joiner', 'epoch', 'welcome', 'path', 'node'])
/** Labels of secrets that live as long as their epoch. */
const EPOCH = ['sender data', 'exporter', 'external', 'confirm', 'membership', 'resumption', 'authentication', 'init']

class Recorder {
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
    vi.spyOn(hash, 'extract').mockImplementation((salt, ikm) => {
      const made = extract(salt, ikm)
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

const publicKeysOf = (seat: Seat): Set<string> => {
  const { tree } = stateOf(seat.group)
  return new Set(Array.from({ length: 2 * tree.leafCount - 1 }, (_, node) => hex(tree.publicKeyOf(node) ?? new Uint8Array())))
}

const storeOf = (seat: Seat): string => seat.rows.map(hex).join('|')

const talk = async (seats: readonly Seat[], { epochs, messages }: { epochs: number; messages: number }): Promise<void> => {
  for (let epoch = 0; epoch < epochs; epoch++) {
    const committer = seats[epoch % seats.length]
    await committer?.commit(seats.filter((seat) => seat !== committer))
    for (let sent = 0; sent < messages; sent++) {
      const sender = seats[(epoch + sent) % seats.length]
      const sealed = (await sender?.say(`message ${sent}`)) ?? new Uint8Array()
      for (const seat of seats) if (seat !== sender) await seat.hear(sealed)
    }
  }
}

const expectNothingConsumed = (recorder: Recorder, seats: readonly Seat[], atLeast: number): void => {
  const [first] = seats
  if (!first) throw new Error('nobody')
  const consumed = recorder.consumed(publicKeysOf(first))
  expect(consumed.size).toBeGreaterThan(atLeast)
  const stores = seats.map(storeOf)
  expect([...consumed].filter((secret) => stores.some((store) => store.includes(secret)))).toEqual([])
  for (const live of [recorder.latest('secret'), recorder.latest('init'), recorder.latest('exporter')])
    expect(stores.every((store) => live.length >= 64 && store.includes(live))).toBe(true)
}

describe('what is stored', () => {
  test(
    'after 1,000 messages and 50 commits no stored row has a consumed secret, and live ones are found',
    { timeout: 120_000 },
    async () => {
      const recorder = new Recorder(suiteOf(1))
      const [alice, ...others] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob', 'Carol')
      const seats = [alice, ...others]
      await talk(seats, { epochs: 50, messages: 20 })
      expectNothingConsumed(recorder, seats, 4_000)
      const before = seats.map(storeOf)
      for (const seat of seats) seat.group = await seat.restored()
      const sealed = await alice.say('still here')
      for (const seat of others) expect(await seat.read(sealed)).toBe('still here')
      expectNothingConsumed(recorder, seats, 4_000)
      expect(seats.map(storeOf)).not.toEqual(before)
    },
  )

  test('the same holds in the hybrid suite when every step is saved and restored', { timeout: 120_000 }, async () => {
    const recorder = new Recorder(suiteOf(HYBRID_SUITE))
    const [alice, ...others] = await new World(await createMlsEngine(), { reloads: true }).assemble('Alice', 'Bob', 'Carol', 'Dave')
    await talk([alice, ...others], { epochs: 4, messages: 8 })
    expectNothingConsumed(recorder, [alice, ...others], 200)
  })

  test('the first message of an epoch erases the secret that all of its keys come from', async () => {
    const recorder = new Recorder(suiteOf(1))
    const [alice, bob] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob')
    if (!bob) throw new Error('Bob was added')
    const encryption = recorder.latest('encryption')
    expect(storeOf(alice).includes(encryption)).toBe(true)
    const sealed = await alice.say('first')
    expect(storeOf(alice).includes(encryption)).toBe(false)
    expect(storeOf(bob).includes(encryption)).toBe(true)
    await bob.hear(sealed)
    expect(storeOf(bob).includes(encryption)).toBe(false)
  })
})

test('a message changes less than 1 KB of rows in the largest group and a late epoch', () => {
  const by = suiteOf(HYBRID_SUITE)
  for (const leaf of [0, 1, 9_999, 16_383]) {
    const before = secretTreeOf(new Uint8Array(by.hash.length), 16_384)
    const { tree: after } = nextKey(by, before, { leaf, kind: 'application' })
    expect(sizeOf(messageDelta(99_999n, { before, after }, leaf))).toBeLessThan(1024)
    const { tree: later } = nextKey(by, after, { leaf, kind: 'application' })
    expect(sizeOf(messageDelta(99_999n, { before: after, after: later }, leaf))).toBeLessThan(256)
  }
})
