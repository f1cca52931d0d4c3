import { expect, test } from 'vitest'
import type { Bytes } from '../port.ts'
import { createMlsEngine } from './engine.ts'

const NOW = 1_800_000_000n
const LIFETIME = { notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)

test('B-096: nothing of another suite comes in, and a suite that does not exist makes no engine', async () => {
  const [engine, other] = [await createMlsEngine({ suite: 1 }), await createMlsEngine()]
  const alice = { credential: utf8('Alice'), signature: await engine.generateSignaturePair() }
  const { group } = await engine.createGroup({ groupId: utf8('a group'), identity: alice, policy: utf8('') })
  const identity = { credential: utf8('Mallory'), signature: await other.generateSignaturePair() }
  const foreign = await other.createKeyPackage({ identity, ...LIFETIME })
  const founded = await other.createGroup({ groupId: utf8('another group'), identity, policy: utf8('') })
  const unsupported = expect.objectContaining({ reason: 'unsupported' })
  await expect(engine.inspectKeyPackage(foreign.keyPackage, NOW)).rejects.toThrow(unsupported)
  await expect(engine.commit(group, { add: [foreign.keyPackage], authenticate: yes })).rejects.toThrow(unsupported)
  await expect(engine.inspectGroupInfo(founded.groupInfo)).rejects.toThrow(unsupported)
  await expect(engine.joinExternal({ groupInfo: founded.groupInfo, identity, authenticate: yes })).rejects.toThrow(unsupported)
  await expect(createMlsEngine({ suite: 0x0a0a })).rejects.toThrow(unsupported)
})

test.each([2, 3, 4, 5, 6, 7])('suite %i serves a group as the usual ones do', { timeout: 60_000 }, async (suite) => {
  const engine = await createMlsEngine({ suite })
  const device = async (name: string) => ({ credential: utf8(name), signature: await engine.generateSignaturePair() })
  const [alice, bob] = [await device('Alice'), await device('Bob')]
  const keyPackage = await engine.createKeyPackage({ identity: bob, ...LIFETIME })
  const founded = await engine.createGroup({ groupId: utf8('a group'), identity: alice, policy: utf8('') })
  const added = await engine.commit(founded.group, { add: [keyPackage.keyPackage], authenticate: yes })
  const welcome = added.welcomes[0]?.bytes ?? new Uint8Array()
  const joined = await engine.join({ welcome, keyPackage, identity: bob, authenticate: yes, now: NOW })
  const { sealed } = await engine.seal(joined.group, utf8('hello'))
  const opened = await engine.open(added.next, sealed, { authenticate: yes, judge: yes, now: NOW })
  expect(opened.kind === 'message' && new TextDecoder().decode(opened.payload)).toBe('hello')
})
