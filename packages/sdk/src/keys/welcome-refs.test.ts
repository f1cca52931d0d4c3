import { expect, test } from 'vitest'
import { openEngine } from '../engine.ts'
import { platformRandom } from '../surroundings.ts'
import { welcomeRefs } from './welcome-refs.ts'

test('a Welcome names the key packages it is for', async () => {
  const engine = await openEngine()
  const identity = async () => ({ credential: platformRandom.bytes(64), signature: await engine.generateSignaturePair() })
  const now = BigInt(Math.floor(Date.now() / 1000))
  const lifetime = { notBefore: now - 60n, notAfter: now + 3600n, lastResort: false }
  const [bob, carol] = [await identity(), await identity()]
  const packages = await Promise.all([bob, carol].map((owner) => engine.createKeyPackage({ identity: owner, ...lifetime })))
  const { group } = await engine.createGroup({ groupId: new Uint8Array(16), identity: await identity(), policy: new Uint8Array() })
  const { welcomes } = await engine.commit(group, { add: packages.map(({ keyPackage }) => keyPackage), authenticate: async () => true })
  for (const welcome of welcomes) expect(welcomeRefs(welcome.bytes)).toEqual(welcome.refs)
  expect(welcomes.flatMap(({ refs }) => refs)).toHaveLength(2)
})

test.each([
  ['nothing', new Uint8Array()],
  ['zeros', new Uint8Array(100)],
  ['a vector longer than the message', new Uint8Array([0, 1, 0, 3, 0xf4, 0x7a, 0xbf, 0xff, 0xff, 0xff, 1])],
  ['the start of a Welcome', new Uint8Array([0, 1, 0, 3, 0xf4, 0x7a, 0x20, 0x10])],
  ['bytes of value 255', new Uint8Array(1000).fill(255)],
])('%s names none', (_what, bytes) => {
  expect(welcomeRefs(bytes)).toEqual([])
})
