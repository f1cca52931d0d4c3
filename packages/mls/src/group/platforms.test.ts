/** One engine on platforms that can do more or less by themselves: what they make must be the same, whoever reads it. */
import { expand } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { afterEach, expect, test, vi } from 'vitest'
import { hex } from '../crypto/bytes.ts'
import type { Bytes, Group, KeyPackagePair, LeafIdentity, MlsEngine } from '../port.ts'

const NOW = 1_800_000_000n
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate: yes, judge: yes, now: NOW }

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const real = globalThis.crypto
const getRandomValues = (into: Uint8Array<ArrayBuffer>) => real.getRandomValues(into)

/** WebCrypto without some algorithms. */
const without = (...missing: readonly string[]): object => {
  const { subtle } = real
  const refuse = (algorithm: unknown): void => {
    if (missing.some((name) => JSON.stringify(algorithm)?.includes(name))) throw new DOMException('unrecognized', 'NotSupportedError')
  }
  const lacking = new Proxy(subtle, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...given: readonly unknown[]): Promise<unknown> => {
        given.forEach(refuse)
        return Reflect.apply(method, target, given)
      }
    },
  })
  return { getRandomValues, subtle: lacking }
}

/** A platform that is not Node; its WebCrypto is the real one unless given. */
const aBrowser = (crypto: object = real): void => {
  vi.stubGlobal('process', { ...process, versions: {}, env: {} })
  vi.stubGlobal('crypto', crypto)
}

const PLATFORMS: Readonly<Record<string, () => void>> = {
  'a page without WebCrypto': () => aBrowser({ getRandomValues }),
  'a browser with everything': () => aBrowser(),
  'a browser without ML-KEM': () => aBrowser(without('ML-KEM')),
  'a browser without the new curves': () => aBrowser(without('ML-KEM', 'X25519', 'Ed25519')),
  'an older Node': () => vi.stubGlobal('process', { ...process, getBuiltinModule: () => ({}) }),
}

/** An engine that was loaded on a platform; its modules are its own. */
const engineOn = async (platform: () => void, suite: number): Promise<MlsEngine> => {
  vi.resetModules()
  platform()
  const { createMlsEngine } = await import('./engine.ts')
  const engine = await createMlsEngine({ suite })
  // What a platform can do is asked for at the first use of each primitive.
  await deviceOf(engine, 'nobody')
  vi.unstubAllGlobals()
  return engine
}

interface Device {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
}

const deviceOf = async (engine: MlsEngine, name: string): Promise<Device> => {
  const identity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
  return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }) }
}

interface Member {
  readonly engine: MlsEngine
  group: Group
}

/** Two talk and commit in turn, and agree. */
const converse = async (one: Member, other: Member): Promise<void> => {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const length of [10, 5_000]) {
      const made = await from.engine.seal(from.group, new Uint8Array(length).fill(7))
      from.group = made.group
      const opened = await to.engine.open(to.group, made.sealed, hooks)
      expect(opened.kind === 'message' && opened.payload.length).toBe(length)
      to.group = opened.group
    }
    const update = await from.engine.commit(from.group, { authenticate: yes })
    to.group = (await to.engine.open(to.group, update.commit, hooks)).group
    from.group = update.next
    expect(hex(to.group.epochAuthenticator)).toBe(hex(from.group.epochAuthenticator))
  }
}

test.each(Object.keys(PLATFORMS).flatMap((platform) => [1, 0xf47a].map((suite) => ({ platform, suite }))))(
  '$platform and Node understand each other in suite $suite',
  { timeout: 60_000 },
  async ({ platform, suite }) => {
    const there = await engineOn(PLATFORMS[platform] ?? (() => undefined), suite)
    const here = await engineOn(() => undefined, suite)
    for (const [first, second] of [
      [here, there],
      [there, here],
    ] as const) {
      const [alice, bob] = [await deviceOf(first, 'Alice'), await deviceOf(second, 'Bob')]
      const founded = await first.createGroup({ groupId: utf8('a group'), identity: alice.identity, policy: utf8('') })
      const added = await first.commit(founded.group, { add: [bob.keyPackage.keyPackage], authenticate: yes })
      const welcome = added.welcomes[0]?.bytes ?? new Uint8Array()
      const joined = await second.join({ welcome, ...bob, authenticate: yes, now: NOW })
      await converse({ engine: first, group: added.next }, { engine: second, group: joined.group })
    }
  },
)

test('without a source of randomness nothing is made', async () => {
  vi.resetModules()
  aBrowser()
  vi.stubGlobal('crypto', undefined)
  const { createMlsEngine } = await import('./engine.ts')
  const engine = await createMlsEngine()
  await expect(engine.generateSignaturePair()).rejects.toThrow(expect.objectContaining({ reason: 'unsupported' }))
})

test('the platforms lack what they are said to lack', async () => {
  const found: Record<string, string> = {}
  for (const [name, platform] of Object.entries(PLATFORMS)) {
    vi.resetModules()
    platform()
    const { subtle } = await import('../crypto/webcrypto.ts')
    const node = await import('../crypto/node.ts')
    const can = async (algorithm: string) =>
      subtle
        ? subtle.generateKey({ name: algorithm }, true, ['sign', 'verify']).then(
            () => true,
            () => false,
          )
        : false
    const byNode = [node.nodeAes, node.nodeEd25519, node.nodeHash, node.nodeKeccak, node.nodeMlKem, node.nodeX25519].filter((ask) =>
      ask(),
    ).length
    found[name] = [`${byNode} by Node`, subtle && 'subtle', (await can('Ed25519')) && 'Ed25519'].filter(Boolean).join(', ')
    vi.unstubAllGlobals()
  }
  expect(found).toEqual({
    'a page without WebCrypto': '0 by Node',
    'a browser with everything': '0 by Node, subtle, Ed25519',
    'a browser without ML-KEM': '0 by Node, subtle, Ed25519',
    'a browser without the new curves': '0 by Node, subtle',
    'an older Node': '0 by Node, subtle, Ed25519',
  })
})

test('this Node gives all of its primitives', async () => {
  vi.resetModules()
  const node = await import('../crypto/node.ts')
  for (const ask of [node.nodeAes, node.nodeEd25519, node.nodeHash, node.nodeKeccak, node.nodeMlKem, node.nodeX25519])
    expect(ask()).toBeDefined()
})

test.each(['a page without WebCrypto', 'a browser with everything', 'this Node'])(
  'on %s, hashes and HMACs are what they should be',
  async (name) => {
    vi.resetModules()
    PLATFORMS[name]?.()
    const { SHA256, SHA384 } = await import('../crypto/hash.ts')
    const { SHA512 } = await import('../crypto/more-primitives.ts')
    vi.unstubAllGlobals()
    const pattern = (length: number): Bytes => Uint8Array.from({ length }, (_, at) => (7 * at + length) & 0xff)
    for (const [hash, reference] of [
      [SHA256, sha256],
      [SHA384, sha384],
      [SHA512, sha512],
    ] as const)
      for (const length of [0, 1, 48, 64, 111, 112, 127, 128, 129, 300, 1023, 5000]) {
        const [key, message] = [pattern(length), pattern((length * 5) % 1999)]
        const parts = [message.subarray(0, 10), message.subarray(10)]
        const digests = [hash.digest(message), hash.digest(...parts), await hash.longDigest(...parts)]
        expect(new Set(digests.map(hex))).toEqual(new Set([hex(reference(message))]))
        const macs = [hash.hmac(key, message), hash.extract(key, message), await hash.longHmac(key, ...parts)]
        expect(new Set(macs.map(hex))).toEqual(new Set([hex(hmac(reference, key, message))]))
        const wanted = [16, hash.length, 3 * hash.length - 5].map((size) => ({ info: message, length: size }))
        const expanded = [...hash.expandAll(key, wanted), ...wanted.map((each) => hash.expand(key, each.info, each.length))]
        const derived = [...wanted, ...wanted].map((each) => expand(reference, key, message, each.length))
        expect(expanded.map(hex)).toEqual(derived.map(hex))
      }
  },
)
