/** Damaged, replayed and misdirected bytes (rows B-088 to B-125 as far as the port can express them), and what must come of them. */
import { describe, expect, test } from 'vitest'
import type { Bytes, MlsEngine } from '../port.ts'
import { flipped, pair, positions } from './tamper.ts'
import { expectAgreement, hex, NOW, refusal, sizeOf, utf8, view, World } from './world.ts'
import type { Seat } from './world.ts'

/** Rewrites the length prefix at `at` in the next longer form, which says the same and must not be accepted. */
const widened = (bytes: Bytes, at: number): Bytes => {
  const first = bytes[at] ?? 0
  const rest = bytes.subarray(at + (first < 0x40 ? 1 : 2))
  const wider = first < 0x40 ? [0x40, first] : [0x80, 0, first & 0x3f, bytes[at + 1] ?? 0]
  return new Uint8Array([...bytes.subarray(0, at), ...wider, ...rest])
}

/** Where an empty commit says whether it has a path: after header, group id, epoch, sender, authenticated data, type, proposals. */
const presenceAt = ({ group }: Seat): number => 4 + (1 + group.groupId.length) + 8 + 5 + 1 + 1 + 1

export const hostile = (makeEngine: () => Promise<MlsEngine>): void => {
  describe('bytes', () => bytes(makeEngine))
  describe('messages', () => messages(makeEngine))
}

const bytes = (makeEngine: () => Promise<MlsEngine>): void => {
  test('B-088 B-089 B-090: a message or commit cut short, extended or replaced by noise is refused with a type', async () => {
    const { alice, bob } = await pair(makeEngine)
    const sealed = await alice.say('hello')
    const { commit } = await alice.commit([])
    for (const entry of [sealed, commit]) {
      for (const at of positions(entry.length, 150)) await refusal(() => bob.hear(entry.subarray(0, at)))
      expect(await refusal(() => bob.hear(new Uint8Array([...entry, 0])))).toBe('malformed')
      expect(await refusal(() => bob.hear(new Uint8Array([...entry, ...new Uint8Array(50)])))).toBe('malformed')
    }
    for (const noise of [new Uint8Array(), new Uint8Array([7]), new Uint8Array(1 << 20).fill(0x5a)]) await refusal(() => bob.hear(noise))
    expect(await bob.read(sealed)).toBe('hello')
    await bob.hear(commit)
    expectAgreement(alice, bob)
  })

  test('B-091 B-092: a length prefix that is not minimal, or of an unknown form, is malformed', async () => {
    const { alice, bob } = await pair(makeEngine)
    const sealed = await alice.say('hello')
    const { commit } = await alice.commit([])
    for (const entry of [sealed, commit]) {
      expect(await refusal(() => bob.hear(widened(entry, 4)))).toBe('malformed')
      expect(await refusal(() => bob.hear(entry.with(4, 0xc0 | (entry[4] ?? 0))))).toBe('malformed')
    }
    expect(await refusal(() => bob.hear(widened(commit, presenceAt(alice) - 1)))).toBe('malformed')
    await bob.hear(commit)
  })

  test('B-091: nor is one inside a key package, a Welcome or a GroupInfo accepted', async () => {
    const { world, alice } = await pair(makeEngine)
    const identity = await world.device('Carol')
    const keyPackage = await world.publish(identity)
    const { welcomes, groupInfo } = await alice.commit([], { add: [keyPackage.keyPackage] })
    const welcome = welcomes[0]?.bytes ?? utf8('')
    expect(await refusal(() => world.engine.inspectKeyPackage(widened(keyPackage.keyPackage, 4), NOW))).toBe('malformed')
    const join = { keyPackage, identity, authenticate: world.authenticate, now: NOW }
    expect(await refusal(() => world.engine.join({ ...join, welcome: widened(welcome, 6) }))).toBe('malformed')
    expect(await refusal(() => world.engine.inspectGroupInfo(widened(groupInfo, 8)))).toBe('malformed')
  })

  test('B-094: a presence octet other than 0 and 1 is malformed', async () => {
    const { alice, bob } = await pair(makeEngine)
    const { commit } = await alice.commit([])
    const at = presenceAt(alice)
    expect(commit[at]).toBe(1)
    for (const octet of [2, 3, 0x7f, 0xff]) expect(await refusal(() => bob.hear(commit.with(at, octet)))).toBe('malformed')
    await bob.hear(commit)
  })

  test('B-095: another version or wire format is unsupported', async () => {
    const { alice, bob } = await pair(makeEngine)
    const sealed = await alice.say('hello')
    expect(await refusal(() => bob.hear(sealed.with(1, 2)))).toBe('unsupported')
    expect(await refusal(() => bob.hear(sealed.with(3, 5)))).toBe('unsupported')
    expect(await refusal(() => bob.hear(sealed.with(3, 99)))).toBe('unsupported')
  })

  test('B-101 B-116: no flipped bit of a message or commit passes, and none changes the group', async () => {
    const { alice, bob } = await pair(makeEngine)
    const sealed = await alice.say('hello')
    const { commit } = await alice.commit([])
    const before = bob.group
    for (const entry of [sealed, commit]) {
      for (const at of positions(entry.length, 400)) {
        await refusal(() => bob.hear(flipped(entry, at)))
        await refusal(() => bob.hear(flipped(entry, at, 0x80)))
      }
    }
    expect(bob.group).toBe(before)
    expect(await bob.read(sealed)).toBe('hello')
    await bob.hear(commit)
    expectAgreement(alice, bob)
  })

  test('B-122: no flipped bit of a Welcome or GroupInfo passes', async () => {
    const { world, alice } = await pair(makeEngine)
    const identity = await world.device('Carol')
    const keyPackage = await world.publish(identity)
    const { welcomes, groupInfo } = await alice.commit([], { add: [keyPackage.keyPackage] })
    const welcome = welcomes[0]?.bytes ?? utf8('')
    const join = (welcome: Bytes) => world.engine.join({ welcome, keyPackage, identity, authenticate: world.authenticate, now: NOW })
    for (const at of positions(welcome.length, 60)) await refusal(() => join(flipped(welcome, at)))
    for (const at of positions(welcome.length, 30)) await refusal(() => join(welcome.subarray(0, at)))
    expect(await refusal(() => join(new Uint8Array([...welcome, 0])))).toBe('malformed')
    for (const at of positions(groupInfo.length, 60)) await refusal(() => world.engine.inspectGroupInfo(flipped(groupInfo, at)))
    expect(await refusal(() => world.engine.inspectGroupInfo(new Uint8Array([...groupInfo, 0])))).toBe('malformed')
    expect((await join(welcome)).group.members.length).toBe(3)
  })

  test('B-122: a Welcome opens with the key package it was made for and no other', async () => {
    const { world, alice } = await pair(makeEngine)
    const identity = await world.device('Carol')
    const keyPackage = await world.publish(identity)
    const other = await world.publish(identity)
    const { welcomes } = await alice.commit([], { add: [keyPackage.keyPackage] })
    const welcome = welcomes[0]?.bytes ?? utf8('')
    const join = (pair: typeof keyPackage) =>
      world.engine.join({ welcome, keyPackage: pair, identity, authenticate: world.authenticate, now: NOW })
    await refusal(() => join(other))
    await refusal(() => join({ ...keyPackage, secret: other.secret }))
    expect((await join(keyPackage)).group.epoch).toBe(2n)
  })

  test('the engine keeps no view into the bytes it was given', async () => {
    const { alice, bob } = await pair(makeEngine)
    const { commit } = await alice.commit([])
    const shared = new Uint8Array(commit)
    await bob.hear(shared)
    const before = view(bob.group)
    shared.fill(0)
    expect(view(bob.group)).toEqual(before)
    await alice.commit([bob])
    expectAgreement(alice, bob)
    const identity = await alice.world.device('Carol')
    const keyPackage = await alice.world.publish(identity)
    const { welcomes } = await alice.commit([bob], { add: [keyPackage.keyPackage] })
    const welcome = new Uint8Array(welcomes[0]?.bytes ?? utf8(''))
    const join = { welcome, keyPackage, identity, authenticate: alice.world.authenticate, now: NOW }
    const { group } = await alice.world.engine.join(join)
    for (const given of [welcome, keyPackage.keyPackage, keyPackage.secret]) given.fill(0)
    expect(view(group)).toEqual(view(alice.group))
    const { sealed } = await alice.world.engine.seal(group, utf8('still here'))
    expect(await alice.read(sealed)).toBe('still here')
  })
}

const messages = (makeEngine: () => Promise<MlsEngine>): void => {
  test('B-097 B-098: another group, a past and a future epoch are told apart before any decryption', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const [zoe] = await world.assemble('Zoe', 'Yan')
    expect(await refusal(async () => bob.hear(await zoe.say('wrong room')))).toBe('unknown_group')
    const old = await alice.commit([])
    const sealed = await alice.say('next epoch')
    expect(await refusal(() => bob.hear(sealed))).toBe('future_epoch')
    const epochAt = 4 + 1 + alice.group.groupId.length
    expect(await refusal(() => bob.hear(sealed.map((byte, at) => (at >= epochAt && at < epochAt + 8 ? 0xff : byte))))).toBe('future_epoch')
    await bob.hear(old.commit)
    expect(await refusal(() => bob.hear(old.commit))).toBe('stale_epoch')
    expect(await bob.read(sealed)).toBe('next epoch')
  })

  test('B-104: a consumed message is a duplicate, also after the group was restored', async () => {
    const { alice, bob } = await pair(makeEngine)
    const [one, two] = [await alice.say('one'), await alice.say('two')]
    await bob.read(one)
    await bob.read(two)
    expect(await refusal(() => bob.hear(one))).toBe('duplicate')
    bob.group = await bob.restored()
    expect(await refusal(() => bob.hear(one))).toBe('duplicate')
    expect(await refusal(() => bob.hear(two))).toBe('duplicate')
    expect(await bob.read(await alice.say('three'))).toBe('three')
  })

  test('nothing is kept of a skipped message: it cannot be opened once a later one was', async () => {
    const { alice, bob } = await pair(makeEngine)
    const skipped = await alice.say('skipped')
    expect(await bob.read(await alice.say('later'))).toBe('later')
    expect(await refusal(() => bob.hear(skipped))).toBe('duplicate')
  })

  test('B-103: a gap of 64 messages is crossed, a longer one is too far', { timeout: 60_000 }, async () => {
    const { alice, bob } = await pair(makeEngine)
    const sent: Bytes[] = []
    for (let index = 0; index <= 65; index += 1) sent.push(await alice.say(`message ${index}`))
    expect(await refusal(() => bob.hear(sent[65] ?? utf8('')))).toBe('too_far')
    expect(await bob.read(sent[64] ?? utf8(''))).toBe('message 64')
  })

  test('B-099: a device cannot be made to open what it sealed itself', async () => {
    const { alice } = await pair(makeEngine)
    const before = alice.group
    const sealed = await alice.say('echo')
    expect(['duplicate', 'invalid']).toContain(await refusal(() => alice.hear(sealed)))
    expect(['duplicate', 'invalid']).toContain(await refusal(() => alice.world.engine.open(before, sealed, alice.world.hooks())))
    const { commit } = await alice.world.engine.commit(alice.group, { authenticate: alice.world.authenticate })
    expect(['usage', 'invalid']).toContain(await refusal(() => alice.hear(commit)))
  })

  test('B-100: application data in the clear and handshakes in cipher are refused', async () => {
    const { alice, bob } = await pair(makeEngine)
    const sealed = await alice.say('hello')
    const contentTypeAt = 4 + 1 + alice.group.groupId.length + 8
    expect(sealed[contentTypeAt]).toBe(1)
    for (const type of [2, 3])
      expect(['unsupported', 'invalid', 'auth_failed']).toContain(await refusal(() => bob.hear(sealed.with(contentTypeAt, type))))
    const clear = [...sealed.subarray(0, 3), 1, ...sealed.subarray(4, contentTypeAt), 1, 0, 0, 0, 0, 0, 1, 5, ...utf8('hello'), 0, 0]
    expect(['invalid', 'unsupported', 'malformed']).toContain(await refusal(() => bob.hear(new Uint8Array(clear))))
  })

  test('B-123: a Welcome whose commit lost the race leads into a group that nobody else is in', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const identity = await world.device('Carol')
    const keyPackage = await world.publish(identity)
    const lost = await world.engine.commit(alice.group, { authenticate: world.authenticate, add: [keyPackage.keyPackage] })
    await alice.commit([bob])
    const welcome = lost.welcomes[0]?.bytes ?? new Uint8Array()
    const carol = await world.engine.join({ welcome, keyPackage, identity, authenticate: world.authenticate, now: NOW })
    expect(carol.group.epoch).toBe(bob.group.epoch)
    expect(hex(carol.group.epochAuthenticator)).not.toBe(hex(bob.group.epochAuthenticator))
    const { sealed } = await world.engine.seal(carol.group, utf8('is anybody here?'))
    expect(['auth_failed', 'invalid']).toContain(await refusal(() => bob.hear(sealed)))
    expectAgreement(alice, bob)
  })

  test('B-106: content that claims to be of another kind is refused', async () => {
    const { alice, bob } = await pair(makeEngine)
    const before = view(bob.group)
    const { commit } = await alice.world.engine.commit(alice.group, { authenticate: alice.world.authenticate })
    const proposal = (await alice.world.engine.proposeRemove(alice.group, bob.leaf)).proposal
    // After header, group id, epoch, sender and empty authenticated data.
    const contentTypeAt = 4 + (1 + alice.group.groupId.length) + 8 + 5 + 1
    for (const [entry, own] of [
      [commit, 3],
      [proposal, 2],
    ] as const) {
      expect(entry[contentTypeAt]).toBe(own)
      for (const type of [1, 2, 3].filter((other) => other !== own))
        expect(['malformed', 'invalid', 'unsupported', 'auth_failed']).toContain(
          await refusal(() => bob.hear(entry.with(contentTypeAt, type))),
        )
    }
    expect(view(bob.group)).toEqual(before)
  })

  test('the length of a sealed message tells its bucket, a power of two of at least 256, and no more', async () => {
    const { alice } = await pair(makeEngine)
    const lengths: number[] = []
    for (const size of [0, 1, 100, 150, 250, 300, 900, 5_000]) lengths.push((await alice.say('x'.repeat(size))).length)
    const overhead = (lengths[0] ?? 0) - 256
    expect(lengths.map((length) => length - overhead)).toEqual([256, 256, 256, 256, 512, 512, 1024, 8192])
  })

  test('what is stored for a message stays small however large the group', { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 19 }, (_, index) => `member ${index}`)
    const [alice, bob] = await new World(await makeEngine()).assemble('Alice', ...names)
    if (bob === undefined) throw new Error('nineteen were added')
    const { persist, sealed } = await alice.world.engine.seal(alice.group, utf8('x'.repeat(3_000)))
    expect(persist.kind).toBe('delta')
    expect(sizeOf(persist)).toBeLessThan(1024)
    const opened = await bob.hear(sealed)
    expect(opened.persist.kind).toBe('delta')
    expect(sizeOf(opened.persist)).toBeLessThan(1024)
  })
}
