/** B-088 to B-095 and B-125: bytes that encode nothing. Every kind of message, everywhere in it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { refusal, utf8 } from '../conformance/world.ts'
import { suiteOf } from '../crypto/suite.ts'
import { diceOf } from '../dice.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes } from '../port.ts'
import { decode, encode } from '../public/codec.ts'
import { mlsMessageCodec } from '../public/message.ts'
import { RatchetTree } from '../public/tree.ts'
import { couple } from './cast.test-support.ts'
import { shapeOf, widened } from './vectors-of.test-support.ts'

/** Reads a message and, when it carries one, its ratchet tree, which is opaque to the message. */
const reasonOf = (bytes: Bytes): string => {
  try {
    const message = decode(mlsMessageCodec, bytes)
    const tree = message.kind === 'group_info' ? message.groupInfo.extensions.find(({ type }) => type === 2)?.data : undefined
    if (tree) decode(RatchetTree.codec(suiteOf(1).hash), tree)
    return 'accepted'
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : 'untyped'
  }
}

const messages: Record<string, Bytes> = {}
beforeAll(async () => {
  const { world, alice, bob } = await couple()
  await bob.commit([alice])
  const keyPackage = await world.publish(await world.device('Carol'))
  const made = await world.engine.commit(alice.group, {
    add: [keyPackage.keyPackage],
    authenticate: world.authenticate,
    note: utf8('note'),
  })
  const update = await world.engine.commit(alice.group, { authenticate: world.authenticate })
  const { proposal } = await world.engine.proposeRemove(alice.group, 1)
  const { sealed } = await world.engine.seal(alice.group, utf8('hello'))
  const packaged = Uint8Array.of(0, 1, 0, 5, ...keyPackage.keyPackage)
  const [welcome] = made.welcomes
  Object.assign(messages, {
    commit: made.commit,
    update: update.commit,
    proposal,
    sealed,
    groupInfo: made.groupInfo,
    packaged,
    ...(welcome && { welcome: welcome.bytes }),
  })
  expect(Object.keys(messages)).toHaveLength(7)
})

test('B-088: nothing, one byte and a megabyte of noise are no message, for any entry point', async () => {
  const { world, alice } = await couple()
  const identity = await world.device('Carol')
  const keyPackage = await world.publish(identity)
  const { engine, authenticate } = world
  const doors = [
    (bytes: Bytes) => alice.hear(bytes),
    (bytes: Bytes) => engine.join({ welcome: bytes, keyPackage, identity, authenticate, now: 1_800_000_000n }),
    (bytes: Bytes) => engine.joinExternal({ groupInfo: bytes, identity, authenticate }),
    (bytes: Bytes) => engine.inspectGroupInfo(bytes),
    (bytes: Bytes) => engine.inspectKeyPackage(bytes, 1_800_000_000n),
    (bytes: Bytes) => engine.commit(alice.group, { add: [bytes], authenticate }),
  ]
  const dice = diceOf(88)
  const noise = Uint8Array.from({ length: 65_536 }, () => dice(256))
  const megabyte = Uint8Array.from({ length: 1 << 20 }, (_, at) => noise[(at * 31) % noise.length] ?? 0)
  for (const door of doors) {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0), Uint8Array.of(7)]) expect(await refusal(() => door(bytes))).toBe('malformed')
    // Noise is of another version before it is anything else.
    expect(['malformed', 'unsupported', 'too_large']).toContain(await refusal(() => door(megabyte)))
    const versioned = Uint8Array.of(0, 1, 0, 1, ...megabyte.subarray(0, 1000))
    expect(['malformed', 'unsupported', 'too_large']).toContain(await refusal(() => door(versioned)))
  }
})

test('B-089: every message cut short at every offset is malformed', () => {
  for (const [name, message] of Object.entries(messages)) {
    expect(reasonOf(message)).toBe('accepted')
    for (let at = 0; at < message.length; at++) expect(reasonOf(message.subarray(0, at)), `${name} up to ${at}`).toBe('malformed')
  }
})

test('B-090: one byte or fifty too many are malformed', () => {
  for (const message of Object.values(messages))
    for (const more of [1, 50]) expect(reasonOf(Uint8Array.of(...message, ...new Uint8Array(more)))).toBe('malformed')
})

test('B-091: a length prefix that is longer than it need be is malformed in each vector of each message', () => {
  for (const [name, message] of Object.entries(messages)) {
    const { vectors } = shapeOf(message)
    expect(vectors.length, name).toBeGreaterThan(3)
    // Vectors of 16 KiB and more have the longest prefix there is.
    for (const vector of vectors.filter(({ from, end }) => end - from < 16_384)) {
      const spoilt = widened(message, vectors, vector)
      expect(spoilt.length).toBeGreaterThan(message.length)
      expect(reasonOf(spoilt), `${name} at ${vector.at}`).toBe('malformed')
    }
  }
})

test('B-092: a length prefix that starts with the bits 11 is malformed in each vector of each message', () => {
  for (const message of Object.values(messages))
    for (const { at } of shapeOf(message).vectors) expect(reasonOf(message.with(at, (message[at] ?? 0) | 0xc0))).toBe('malformed')
})

test('B-093: a vector that claims a gigabyte with ten bytes there is refused without room being made for it', () => {
  const before = process.memoryUsage().arrayBuffers
  let claims = 0
  for (const message of Object.values(messages)) {
    for (const { at } of shapeOf(message).vectors) {
      const claim = Uint8Array.of(...message.subarray(0, at), 0xbf, 0xff, 0xff, 0xff, ...new Uint8Array(10))
      expect(['malformed', 'too_large']).toContain(reasonOf(claim))
      claims++
    }
  }
  expect(claims).toBeGreaterThan(60)
  // What the claims themselves took, and not one gigabyte.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
})

test('B-094: an octet of presence other than 0 and 1 is malformed wherever there is one', () => {
  let found = 0
  for (const message of Object.values(messages)) {
    for (const at of shapeOf(message).presences) {
      found++
      for (let octet = 2; octet < 256; octet += 23) expect(reasonOf(message.with(at, octet))).toBe('malformed')
    }
  }
  expect(found).toBeGreaterThan(5)
})

test('B-095: an unknown version, wire format, content type or kind of sender is unsupported', () => {
  for (const message of Object.values(messages)) {
    for (const version of [0, 2, 0xff]) expect(reasonOf(message.with(1, version))).toBe('unsupported')
    for (const format of [0, 6, 0xff]) expect(reasonOf(message.with(3, format))).toBe('unsupported')
  }
  const { proposal = new Uint8Array(), sealed = new Uint8Array() } = messages
  const [group] = shapeOf(proposal).vectors
  const senderAt = (group?.end ?? 0) + 8
  expect(proposal[senderAt]).toBe(1)
  for (const kind of [0, 5, 0xff]) expect(reasonOf(proposal.with(senderAt, kind))).toBe('unsupported')
  expect(sealed[senderAt]).toBe(1)
  for (const type of [0, 4, 0xff]) expect(reasonOf(sealed.with(senderAt, type))).toBe('unsupported')
})

describe('B-125: a ratchet tree', () => {
  const { hash } = suiteOf(1)
  const codec = RatchetTree.codec(hash)
  const read = (bytes: Bytes) => () => decode(codec, bytes)
  const malformed = expect.objectContaining({ reason: 'malformed' })

  test('with kinds of nodes that there are not is malformed', () => {
    for (const kind of [0, 3, 0xff]) expect(read(Uint8Array.of(3, 1, kind, 0))).toThrow(malformed)
  })

  test('whose lists of unmerged leaves are not in order, or name one twice, is malformed', async () => {
    const { alice, bob } = await couple()
    await alice.commit([bob])
    const { tree } = stateOf(alice.group)
    const [entry] = [...tree.parents()]
    if (!entry) throw new Error('a commit with a path leaves a parent')
    const [node, parent] = entry
    for (const unmergedLeaves of [
      [1, 0],
      [1, 1],
    ]) {
      const spoilt = tree.clone()
      spoilt.setParent(node, { ...parent, unmergedLeaves })
      expect(read(encode(codec, spoilt))).toThrow(malformed)
    }
  })

  test('of a gigabyte is too large before a byte of it is read', async () => {
    const { world, alice } = await couple()
    const ratchetTree = new Uint8Array(2 ** 30)
    const { groupInfo } = await alice.commit([])
    const before = performance.now()
    expect(await refusal(() => world.engine.inspectGroupInfo(groupInfo, ratchetTree))).toBe('too_large')
    expect(performance.now() - before).toBeLessThan(1000)
  })

  test('B-121: of a million leaves is too large', () => {
    const nodes = new Uint8Array(4 + 2 ** 21)
    new DataView(nodes.buffer).setUint32(0, 2 ** 21 + 0x8000_0000)
    expect(read(nodes)).toThrow(expect.objectContaining({ reason: 'too_large' }))
  })
})
