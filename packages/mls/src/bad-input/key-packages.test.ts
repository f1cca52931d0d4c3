/** B-107 to B-111: key packages that are signed rightly and wrong in what they say, where they are inspected and where they are added. */
import { describe, expect, test } from 'vitest'
import { NOW, refusal, utf8, World } from '../conformance/world.ts'
import { createMlsEngine } from '../group/engine.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, LeafIdentity } from '../port.ts'
import { decode, encode } from '../public/codec.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'
import { proposalBodies } from '../public/proposal.ts'
import { couple, forgeCommit, forgePackage, inline } from './cast.test-support.ts'

const newWorld = async (): Promise<{ world: World; identity: LeafIdentity }> => {
  const world = new World(await createMlsEngine({ suite: 1 }))
  return { world, identity: await world.device('Carol') }
}

/** How it is refused at each way in: inspected, added by a member, received in a member's commit. */
const refusals = async (make: (world: World, identity: LeafIdentity) => Promise<Bytes>): Promise<string[]> => {
  const { world, alice, bob } = await couple()
  const encoded = await make(world, await world.device('Carol'))
  const { authenticate, engine } = world
  const add = () => engine.commit(alice.group, { add: [encoded], authenticate, now: NOW })
  const commit = await decodedAdd(encoded).then(
    (proposal) => proposal && forgeCommit(alice, { proposals: [inline(proposal)], path: undefined }),
  )
  return [
    await refusal(() => engine.inspectKeyPackage(encoded, NOW)),
    await refusal(add),
    ...(commit ? [await refusal(() => bob.hear(commit))] : []),
  ]
}

const decodedAdd = async (encoded: Bytes) => {
  try {
    return { kind: 'add', keyPackage: decode(keyPackageCodec, encoded) } as const
  } catch {
    return undefined
  }
}

const forged = (change: Parameters<typeof forgePackage>[2]) => async (world: World, identity: LeafIdentity) =>
  (await forgePackage(world, identity, change)).encoded

test('an honest forgery passes: what is refused below is refused for what was changed', async () => {
  const { world, identity } = await newWorld()
  const { encoded } = await forgePackage(world, identity, {})
  expect((await world.engine.inspectKeyPackage(encoded, NOW)).credential).toEqual(identity.credential)
})

describe('B-107: a key package', () => {
  test('with a bad signature, its own or its leaf’s, is refused', async () => {
    const broken = async (world: World, identity: LeafIdentity) => {
      const { encoded } = await forgePackage(world, identity, {})
      return encoded.with(-1, (encoded.at(-1) ?? 0) ^ 1)
    }
    expect(new Set(await refusals(broken))).toEqual(new Set(['auth_failed']))
    const leaf = async (world: World, identity: LeafIdentity) => {
      const { honest } = await forgePackage(world, identity, {})
      const spoilt = { ...honest.leaf, signature: new Uint8Array(64) }
      return (await forgePackage(world, identity, { keyPackage: { leaf: spoilt } })).encoded
    }
    expect(new Set(await refusals(leaf))).toEqual(new Set(['auth_failed']))
  })

  test('whose init key is its encryption key is refused', async () => {
    const same = async (world: World, identity: LeafIdentity) => {
      const { honest } = await forgePackage(world, identity, {})
      return (
        await forgePackage(world, identity, {
          keyPackage: { initKey: honest.leaf.encryptionKey },
          leaf: { encryptionKey: honest.leaf.encryptionKey },
        })
      ).encoded
    }
    expect(new Set(await refusals(same))).toEqual(new Set(['invalid']))
  })

  test('with a key that a member has already cannot be added', async () => {
    const { world, alice, bob } = await couple()
    const bobs = stateOf(bob.group).tree.leaf(bob.leaf)
    if (!bobs) throw new Error('Bob has a leaf')
    const { encoded } = await forgePackage(world, await world.device('Carol'), { leaf: { encryptionKey: bobs.encryptionKey } })
    const twin = (await forgePackage(world, { ...bob.identity, credential: utf8('certificate of Bob') }, {})).encoded
    for (const each of [encoded, twin]) {
      expect(await refusal(() => world.engine.commit(alice.group, { add: [each], authenticate: world.authenticate }))).toBe('invalid')
      const proposal = { kind: 'add', keyPackage: decode(keyPackageCodec, each) } as const
      const commit = await forgeCommit(alice, { proposals: [inline(proposal)], path: undefined })
      expect(await refusal(() => bob.hear(commit))).toBe('invalid')
    }
  })

  test('with a leaf that was made for an update or a commit is refused', async () => {
    for (const source of [{ kind: 'update' }, { kind: 'commit', parentHash: new Uint8Array(32) }] as const)
      expect(new Set(await refusals(forged({ leaf: { source } })))).toEqual(new Set(['invalid']))
  })
})

test('B-108: a lifetime of ten years, reversed, over or not begun is refused even when it is signed', async () => {
  const year = 31_536_000n
  for (const [notBefore, notAfter] of [
    [NOW - 1n, NOW + 10n * year],
    [0n, 2n ** 64n - 1n],
    [NOW + 10n, NOW - 10n],
    [NOW - 20n, NOW - 10n],
    [NOW + 10n, NOW + 20n],
  ] as const) {
    const source = { kind: 'key_package', notBefore, notAfter } as const
    expect(new Set(await refusals(forged({ leaf: { source } })))).toEqual(new Set(['invalid']))
  }
})

describe('B-109: a key package', () => {
  const point = (digits: string): Bytes => new Uint8Array(Buffer.from(digits, 'hex'))
  const ed25519 = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
  ]
  const x25519 = [...ed25519, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800']

  test('with an X25519 key of small order or another length is refused', async () => {
    for (const encryptionKey of [...x25519.map(point), new Uint8Array(31).fill(9), new Uint8Array(33).fill(9)]) {
      expect(new Set(await refusals(forged({ leaf: { encryptionKey } })))).toEqual(new Set(['invalid']))
      expect(new Set(await refusals(forged({ keyPackage: { initKey: encryptionKey } })))).toEqual(new Set(['invalid']))
    }
  })

  test('with an Ed25519 key of small order or another length is refused', async () => {
    for (const signatureKey of [...ed25519.map(point), new Uint8Array(31).fill(9), new Uint8Array(33).fill(9)])
      expect(new Set(await refusals(forged({ leaf: { signatureKey } })))).toEqual(new Set(['invalid']))
  })
})

test('B-110: a credential that nobody vouches for, of a type that is not ours, or of a megabyte is refused', async () => {
  const { world, alice, bob } = await couple()
  const { encoded } = await forgePackage(world, await world.device('Carol'), {
    leaf: { credential: { kind: 'custom', type: 0xf0a0, data: utf8('certificate of Bob') } },
  })
  expect(await refusal(() => world.engine.commit(alice.group, { add: [encoded], authenticate: world.authenticate }))).toBe('policy')
  const proposal = { kind: 'add', keyPackage: decode(keyPackageCodec, encoded) } as const
  const commit = await forgeCommit(alice, { proposals: [inline(proposal)], path: undefined })
  expect(await refusal(() => bob.hear(commit))).toBe('policy')
  for (const credential of [
    { kind: 'basic', identity: utf8('Carol') },
    { kind: 'custom', type: 0xf999, data: utf8('Carol') },
  ] as const) {
    const [type] = credential.kind === 'basic' ? [1] : [credential.type]
    const { honest } = await forgePackage(world, await world.device('Carol'), {})
    const capabilities = { ...honest.leaf.capabilities, credentials: [...honest.leaf.capabilities.credentials, type] }
    const other = await forgePackage(world, await world.device('Carol'), { leaf: { credential, capabilities } })
    expect(await refusal(() => world.engine.inspectKeyPackage(other.encoded, NOW))).toBe('unsupported')
  }
  const huge = { kind: 'custom', type: 0xf0a0, data: new Uint8Array(1 << 20) } as const
  expect(new Set(await refusals(forged({ leaf: { credential: huge } })))).toEqual(new Set(['too_large']))
})

describe('B-111: a key package', () => {
  test('that lacks a capability it uses or the group needs is refused', async () => {
    const { world, identity } = await newWorld()
    const { capabilities } = (await forgePackage(world, identity, {})).honest.leaf
    const lacking = [
      [{ ...capabilities, suites: [2] }, 'unsupported'],
      [{ ...capabilities, versions: [2] }, 'unsupported'],
      [{ ...capabilities, credentials: [1] }, 'invalid'],
    ] as const
    for (const [changed, reason] of lacking)
      expect(new Set(await refusals(forged({ leaf: { capabilities: changed } })))).toEqual(new Set([reason]))
    const noise = [{ type: 0xf555, data: utf8('') }]
    expect(new Set(await refusals(forged({ leaf: { extensions: noise } })))).toEqual(new Set(['invalid']))
    expect(new Set(await refusals(forged({ keyPackage: { extensions: noise } })))).toEqual(new Set(['invalid']))
    const pair = await couple()
    const { encoded } = await forgePackage(pair.world, await pair.world.device('Carol'), {
      leaf: { capabilities: { ...capabilities, extensions: [] } },
    })
    const { authenticate, engine } = pair.world
    expect(await refusal(() => engine.commit(pair.alice.group, { add: [encoded], authenticate }))).toBe('invalid')
  })

  test('with two extensions of one type, or with tens of thousands, is refused as it is read', async () => {
    const { world, identity } = await newWorld()
    const { honest } = await forgePackage(world, identity, {})
    const twice = encode(keyPackageCodec, { ...honest, extensions: [0, 1].map(() => ({ type: 0xf0a1, data: utf8('') })) })
    expect(await refusal(() => world.engine.inspectKeyPackage(twice, NOW))).toBe('malformed')
    const extensions = Array.from({ length: 65_535 }, (_, type) => ({ type, data: new Uint8Array() }))
    const many = encode(proposalBodies.group_context_extensions, { extensions })
    expect(() => decode(proposalBodies.group_context_extensions, many)).toThrow(expect.objectContaining({ reason: 'too_large' }))
    const whole = encode(keyPackageCodec, { ...honest, extensions })
    expect(await refusal(() => world.engine.inspectKeyPackage(whole, NOW))).toBe('too_large')
  })
})
