/**
 * What a call says to wipe, and what may be kept of skipped messages: states are searched byte by byte for secrets that were
 * recorded when they were derived.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NOW, refusal, utf8, World } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { hex } from '../crypto/bytes.ts'
import { HYBRID_SUITE, suiteOf } from '../crypto/suite.ts'
import type { Bytes, Group, MlsEngine, Wipe } from '../port.ts'
import { forgetSkipped } from '../protocol/index.ts'
import { createMlsEngine } from './engine.ts'
import { stateOf } from './handle.ts'
import { publicKeysOf, Recorder, storeOf } from './recorder.test-support.ts'

afterEach(() => vi.restoreAllMocks())

/** Every byte array that can be reached from a value, in hexadecimal. */
const arraysIn = (value: unknown, seen = new Set<unknown>()): string[] => {
  if (value instanceof Uint8Array) return [hex(value)]
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  const inner = value instanceof Map ? [...value.entries()] : Object.values(value)
  return inner.flatMap((each) => arraysIn(each, seen))
}

const memoryOf = (group: Group): string[] => {
  const { suite: _, tree: __, ...state } = stateOf(group)
  return arraysIn(state)
}

/** A device that overwrites what it is told to, and keeps every group that it ever had. */
class Careful {
  readonly #engine: MlsEngine
  readonly seat: Seat
  readonly old: Group[] = []
  group: Group

  constructor(seat: Seat) {
    this.seat = seat
    this.group = seat.group
    this.#engine = seat.world.engine
  }

  #go({ group, wipe }: { group: Group; wipe: Wipe }): void {
    this.old.push(this.group)
    this.group = group
    for (const secret of wipe) secret.fill(0)
  }

  async say(words: string): Promise<Bytes> {
    const made = await this.#engine.seal(this.group, utf8(words))
    this.#go(made)
    return made.sealed
  }

  async hear(entry: Bytes): Promise<string> {
    const opened = await this.#engine.open(this.group, entry, this.seat.world.hooks())
    this.#go(opened)
    return opened.kind === 'message' ? new TextDecoder().decode(opened.payload) : opened.kind
  }

  async commit(): Promise<{ commit: Bytes; merge: () => void }> {
    const made = await this.#engine.commit(this.group, { authenticate: this.seat.world.authenticate })
    return { commit: made.commit, merge: () => this.#go(this.#engine.merge(this.group, made.next)) }
  }
}

test('the handle of an epoch whose secrets are wiped still tells its authenticator', async () => {
  const [seat] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob')
  const alice = new Careful(seat)
  const { group: before } = alice
  const authenticator = hex(before.epochAuthenticator)
  const { merge } = await alice.commit()
  merge()
  expect(stateOf(before).secrets.authenticator.every((byte) => byte === 0)).toBe(true)
  expect(hex(before.epochAuthenticator)).toBe(authenticator)
})

describe.each([1, HYBRID_SUITE])('in suite %i', (suite) => {
  test('what a call says to wipe leaves no consumed secret in any group that there ever was, once overwritten', async () => {
    const recorder = new Recorder(suiteOf(suite))
    const [first, ...others] = await new World(await createMlsEngine({ suite })).assemble('Alice', 'Bob', 'Carol', 'Dave', 'Eve')
    const devices = [first, ...others].map((seat) => new Careful(seat))
    for (let epoch = 0; epoch < 6; epoch++) {
      const by = devices[epoch % devices.length]
      const made = await by?.commit()
      // A commit takes its time; what is said meanwhile is consumed all the same.
      for (const speaker of devices) {
        const sealed = await speaker.say(`in epoch ${epoch}`)
        for (const device of devices) if (device !== speaker) expect(await device.hear(sealed)).toBe(`in epoch ${epoch}`)
      }
      for (const device of devices) if (device !== by && made) expect(await device.hear(made.commit)).toBe('commit')
      made?.merge()
    }
    expect(new Set(devices.map(({ group }) => hex(group.epochAuthenticator))).size).toBe(1)
    const [alice] = devices
    const consumed = recorder.consumed(publicKeysOf(alice?.group ?? first.group))
    expect(consumed.size).toBeGreaterThan(200)
    for (const { old, group } of devices) {
      expect(old.length).toBeGreaterThan(20)
      for (const each of [...old, group]) expect(memoryOf(each).filter((bytes) => consumed.has(bytes))).toEqual([])
      expect(memoryOf(group)).toContain(recorder.latest('init'))
    }
  })
})

test('a pending commit that was stored keeps nothing of the epoch that goes on beside it', async () => {
  const recorder = new Recorder(suiteOf(1))
  const [alice, bob] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob')
  if (!bob) throw new Error('Bob was added')
  const { engine, authenticate } = alice.world
  const pending = await engine.commit(alice.group, { authenticate })
  const late = await bob.say('read after the commit')
  for (const words of ['one', 'two', 'three']) await alice.hear(await bob.say(words))
  await alice.say('four')
  const stored = [pending.persist.bytes, ...pending.persist.slots.map(({ bytes }) => bytes)].map(hex).join('|')
  const spent = recorder.spentInTrees()
  expect(spent.size).toBeGreaterThan(15)
  expect([...spent].filter((secret) => stored.includes(secret))).toEqual([])
  const merged = engine.merge(alice.group, pending.next)
  expect(await refusal(() => engine.open(merged.group, late, alice.world.hooks()))).toBe('duplicate')
  expect(await refusal(() => engine.open(pending.next, late, alice.world.hooks()))).toBe('stale_epoch')
})

test('a commit is merged into the group that it follows and into no other', async () => {
  const world = new World(await createMlsEngine({ suite: 1 }))
  const [alice, bob] = await world.assemble('Alice', 'Bob')
  if (!bob) throw new Error('Bob was added')
  const { next } = await world.engine.commit(alice.group, { authenticate: world.authenticate })
  const [zoe] = await world.assemble('Zoe', 'Yan')
  for (const other of [bob.group, zoe.group, next])
    expect(() => world.engine.merge(other, next)).toThrow(expect.objectContaining({ reason: 'usage' }))
})

test('no refused input changes a single byte of the state', async () => {
  const world = new World(await createMlsEngine({ suite: 1 }))
  const [alice, bob, carol] = await world.assemble('Alice', 'Bob', 'Carol')
  if (!bob || !carol) throw new Error('two were added')
  await bob.hear(await alice.say('before'))
  const [sealed, { commit }] = [await alice.say('hello'), await world.engine.commit(alice.group, { authenticate: world.authenticate })]
  const before = memoryOf(bob.group)
  for (const entry of [sealed, commit]) {
    for (let at = 4; at < entry.length; at += 7) await refusal(() => bob.hear(entry.with(at, (entry[at] ?? 0) ^ 0x10)))
  }
  await refusal(() => bob.hear(commit, { judge: () => Promise.resolve(false) }))
  expect(memoryOf(bob.group)).toEqual(before)
  expect(await bob.read(sealed)).toBe('hello')
  await bob.hear(commit)
})

describe('keys of skipped messages', () => {
  let alice: Seat
  let bob: Seat
  beforeEach(async () => {
    const engine = await createMlsEngine({ suite: 1, skippedKeys: 4, skippedLifetime: 60n })
    const [founder, other] = await new World(engine, { reloads: true }).assemble('Alice', 'Bob')
    if (!other) throw new Error('Bob was added')
    ;[alice, bob] = [founder, other]
  })

  const say = async (count: number): Promise<Bytes[]> => {
    const sent: Bytes[] = []
    while (sent.length < count) sent.push(await alice.say(`message ${sent.length}`))
    return sent
  }
  const read = async (sealed: Bytes | undefined, seconds = 0n): Promise<string> => {
    const opened = await bob.hear(sealed ?? utf8(''), { now: NOW + seconds })
    return opened.kind === 'message' ? new TextDecoder().decode(opened.payload) : opened.kind
  }

  test('are kept up to a count, the newest, and each is used once', async () => {
    const sent = await say(7)
    expect(await read(sent[6])).toBe('message 6')
    expect(stateOf(bob.group).secretTree.ratchets[0]?.application.skipped.map(({ generation }) => generation)).toEqual([2, 3, 4, 5])
    expect(await read(sent[3])).toBe('message 3')
    for (const at of [0, 1, 3, 6]) expect(await refusal(() => read(sent[at]))).toBe('duplicate')
    expect(await read(sent[2])).toBe('message 2')
  })

  test('survive a damaged copy of the message that they are kept for', async () => {
    const [first, second] = await say(2)
    if (!first) throw new Error('two were said')
    expect(await read(second)).toBe('message 1')
    const before = memoryOf(bob.group)
    expect(await refusal(() => read(first.with(-1, (first.at(-1) ?? 0) ^ 1)))).toBe('auth_failed')
    expect(memoryOf(bob.group)).toEqual(before)
    expect(await read(first)).toBe('message 0')
  })

  test('are kept for a time, and leave rows and memory with the next message of their sender after it', async () => {
    const recorder = new Recorder(suiteOf(1))
    const sent = await say(3)
    expect(await read(sent[2])).toBe('message 2')
    expect(await read(sent[1], 60n)).toBe('message 1')
    const key = hex(stateOf(bob.group).secretTree.ratchets[0]?.application.skipped[0]?.key ?? utf8(''))
    expect(recorder.latest('key')).not.toBe('')
    expect(storeOf(bob)).toContain(key)
    expect(await refusal(() => read(sent[0], 61n))).toBe('duplicate')
    const [next] = await say(1)
    expect(await read(next, 61n)).toBe('message 0')
    expect(storeOf(bob)).not.toContain(key)
    expect(memoryOf(bob.group)).not.toContain(key)
    expect(await refusal(() => read(sent[0], 0n))).toBe('duplicate')
  })

  test('go without a message too, those of the epoch before among them, when the caller says that time has passed', async () => {
    const sent = await say(2)
    expect(await read(sent[1])).toBe('message 1')
    await alice.commit([bob])
    const key = hex(stateOf(bob.group).past?.secretTree.ratchets[0]?.application.skipped[0]?.key ?? utf8(''))
    expect(key.length).toBe(32)
    expect(storeOf(bob)).toContain(key)
    const early = await forgetSkipped(bob.group, { now: NOW + 60n, skippedLifetime: 60n })
    expect([early.persist.slots.length, early.wipe.length]).toEqual([0, 0])
    const { group, persist, wipe } = await forgetSkipped(bob.group, { now: NOW + 61n, skippedLifetime: 60n })
    expect(wipe.map(hex)).toContain(key)
    await bob.keep(group, persist)
    expect(storeOf(bob)).not.toContain(key)
    expect(await refusal(() => read(sent[0]))).toBe('duplicate')
  })

  test('are neither kept nor used with retention 0, whatever was kept before', async () => {
    const sent = await say(3)
    expect(await read(sent[2])).toBe('message 2')
    const strict = await createMlsEngine({ suite: 1 })
    expect(await refusal(() => strict.open(bob.group, sent[0] ?? utf8(''), bob.world.hooks()))).toBe('duplicate')
    const [, next] = await say(2)
    const opened = await strict.open(bob.group, next ?? utf8(''), bob.world.hooks())
    expect(stateOf(opened.group).secretTree.ratchets[0]?.application.skipped).toEqual([])
  })
})
