/**
 * Mutation fuzz of every decoder and of the engine's entry points: whatever is done to good bytes, they are refused with a
 * type or say exactly what they are. `MLS_FUZZ_RUNS=1000000` makes a long run of it, `MLS_FUZZ_SEED` repeats one.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NOW } from './conformance/world.ts'
import { equal } from './crypto/bytes.ts'
import { MlsError } from './errors.ts'
import { decoders, exportedCodecs, harvest } from './fuzz-targets.test-support.ts'
import type { Harvest } from './fuzz-targets.test-support.ts'
import { createMlsEngine } from './group/engine.ts'
import { mutated, mutations } from './mutations.test-support.ts'
import type { Bytes } from './port.ts'

const RUNS = Number(process.env['MLS_FUZZ_RUNS'] ?? 1500)
/** An engine call costs as much as some twenty decodings. */
const CALLS = Math.max(60, Math.floor(RUNS / 20))
const seed = process.env['MLS_FUZZ_SEED']
const once = (numRuns: number) => ({ numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) })
const PATIENCE = { timeout: 60_000 + RUNS * 20 }
/** A call that takes longer than this, in milliseconds, hangs for all that its caller can tell. */
const HANG = 2_000

interface EntryPoint {
  readonly name: string
  readonly seed: Bytes
  /** Other bytes can mean the very same. */
  readonly same?: true
  readonly call: (bytes: Bytes) => Promise<unknown>
}

/** What an entry point may do with damaged bytes: refuse them with a type, in time. */
const entryPoints = ({ world, alice, bob, dave, keyPackage, ...good }: Harvest): EntryPoint[] => {
  const { engine, authenticate } = world
  const open = (bytes: Bytes) => engine.open(bob.group, bytes, world.hooks())
  const join = (parts: Partial<{ welcome: Bytes; keyPackage: typeof keyPackage }>) =>
    engine.join({ welcome: good.welcome, keyPackage, identity: dave, authenticate, now: NOW, ...parts })
  return [
    { name: 'open a message', seed: good.sealed, call: open },
    { name: 'open a commit', seed: good.commit, call: open },
    { name: 'open an update', seed: good.update, call: open },
    { name: 'open a proposal', seed: good.proposal, call: open },
    { name: 'join', seed: good.welcome, call: (welcome: Bytes) => join({ welcome }) },
    {
      name: 'join with a key package',
      seed: keyPackage.keyPackage,
      call: (bytes: Bytes) => join({ keyPackage: { ...keyPackage, keyPackage: bytes } }),
    },
    // Bits of an X25519 secret key that clamping drops may change: it stays the same key (RFC 7748 section 5).
    {
      name: 'join with a secret',
      seed: keyPackage.secret,
      same: true,
      call: (secret: Bytes) => join({ keyPackage: { ...keyPackage, secret } }),
    },
    { name: 'inspect a key package', seed: keyPackage.keyPackage, call: (bytes: Bytes) => engine.inspectKeyPackage(bytes, NOW) },
    {
      name: 'add a key package',
      seed: keyPackage.keyPackage,
      call: (bytes: Bytes) => engine.commit(alice.group, { add: [bytes], authenticate }),
    },
    { name: 'inspect a group info', seed: good.groupInfo, call: (bytes: Bytes) => engine.inspectGroupInfo(bytes) },
    {
      name: 'join by commit',
      seed: good.groupInfo,
      call: (groupInfo: Bytes) => engine.joinExternal({ groupInfo, identity: dave, authenticate }),
    },
  ]
}

/** Runs a call; true when it was accepted. Anything but a typed refusal in time fails the test. */
const survives = async (name: string, call: () => unknown): Promise<boolean> => {
  const begun = performance.now()
  try {
    await call()
    return true
  } catch (error) {
    if (!(error instanceof MlsError)) throw error
    // The engine wraps what a platform's primitive throws; a mistake of ours would be wrapped with it.
    if (error.cause instanceof TypeError || error.cause instanceof ReferenceError || error.cause instanceof RangeError) throw error
    return false
  } finally {
    expect(performance.now() - begun, `${name} took too long`).toBeLessThan(HANG)
  }
}

test('no decoder is missing from what is fuzzed', async () => {
  const fuzzed = new Set(decoders(await harvest(await createMlsEngine({ suite: 1 }))).map(({ codec }) => codec))
  const exported = exportedCodecs()
  expect(exported.size).toBeGreaterThan(25)
  expect([...exported].flatMap(([codec, name]) => (fuzzed.has(codec) ? [] : [name]))).toEqual([])
})

describe.each([1, 0xf47a])('mutated bytes in suite %i', (suite) => {
  test('every decoder refuses them with a type or finds them canonical', PATIENCE, async () => {
    for (const target of decoders(await harvest(await createMlsEngine({ suite })))) {
      for (const good of target.seeds) target.check(good)
      const property = fc.asyncProperty(fc.constantFrom(...target.seeds), mutations, async (good, changes) => {
        await survives(target.name, () => target.check(mutated(good, changes)))
      })
      await fc.assert(property, once(RUNS))
    }
  })

  test('every entry point of the engine refuses them with a type and accepts none', PATIENCE, async () => {
    for (const { name, seed: good, same, call } of entryPoints(await harvest(await createMlsEngine({ suite })))) {
      const property = fc.asyncProperty(mutations, async (changes) => {
        const bytes = mutated(good, changes)
        const accepted = await survives(name, () => call(bytes))
        if (accepted && !same && !equal(bytes, good)) throw new Error(`${name}: accepted damaged bytes`)
      })
      await fc.assert(property, once(CALLS))
    }
  })

  test('a damaged store is refused with a type or gives a group back', PATIENCE, async () => {
    const { world, bob, snapshot, slots } = await harvest(await createMlsEngine({ suite }))
    const rows = [{ slot: '', bytes: snapshot }, ...slots]
    const property = fc.asyncProperty(fc.nat({ max: rows.length - 1 }), mutations, async (at, changes) => {
      const damaged = rows.map((row, index) => (index === at ? { ...row, bytes: mutated(row.bytes, changes) } : row))
      const [first, ...others] = damaged
      await survives('restore', () => world.engine.restore({ snapshot: first?.bytes ?? snapshot, slots: others, identity: bob.identity }))
    })
    await fc.assert(property, once(CALLS * 4))
  })
})

test('random bytes are refused by every decoder', PATIENCE, async () => {
  const targets = decoders(await harvest(await createMlsEngine({ suite: 1 })))
  const property = fc.asyncProperty(fc.constantFrom(...targets), fc.uint8Array({ maxLength: 512 }), async ({ name, check }, bytes) => {
    await survives(name, () => check(new Uint8Array(bytes)))
  })
  await fc.assert(property, once(RUNS * 4))
})
