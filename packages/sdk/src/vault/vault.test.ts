import { expect, test } from 'vitest'
import { AccountId, DeviceId, UnlockId } from '@tacit/contract'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { openPart, sealPart } from './parts.ts'
import { unlockPair, unwrapVaultKey, wrapVaultKey } from './unlock.ts'
import { decodeVault, encodeVault, type Vault } from './vault.ts'

const account = mintId(random, AccountId)
const vaultKey = { key: random.bytes(32), generation: 3 }
const name = { account, part: 'keys', version: 7 } as const
const vault: Vault = {
  accountKeySeed: random.bytes(32),
  holders: new Map([[mintId(random, UnlockId), { kind: 'kit', publicKey: random.bytes(1216), addedAt: 1_700_000_000_000 }]]),
  devices: new Map([[mintId(random, DeviceId), { name: 'Küche', publicKey: random.bytes(1216) }]]),
  archiveKeys: new Map([[1, random.bytes(32)]]),
}

test('a vault is read as it was written', () => {
  expect(decodeVault(encodeVault(vault))).toEqual(vault)
  expect(decodeVault(random.bytes(50))).toBeUndefined()
})

test('a part opens with its key, as what it is, and as nothing else', async () => {
  const bytes = encodeVault(vault)
  const sealed = await sealPart({ vaultKey, name, bytes, random })
  expect(await openPart({ vaultKey, name, sealed })).toEqual(bytes)
  const others = [
    { vaultKey: { ...vaultKey, key: random.bytes(32) }, name },
    { vaultKey: { ...vaultKey, generation: 4 }, name },
    { vaultKey, name: { ...name, version: 6 } },
    { vaultKey, name: { ...name, part: 'people' as const } },
    { vaultKey, name: { ...name, account: mintId(random, AccountId) } },
  ]
  for (const other of others) expect(await openPart({ ...other, sealed })).toBeUndefined()
  expect(await openPart({ vaultKey, name, sealed: sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) })).toBeUndefined()
})

test('the size of a part tells little of what is in it, and two sealings have nothing in common', async () => {
  const seal = (length: number) => sealPart({ vaultKey, name, bytes: random.bytes(length), random })
  const sizes = await Promise.all([1, 900, 1021, 3000].map(async (length) => (await seal(length)).length))
  expect(sizes).toEqual([1052, 1052, 2076, 4124])
  const bytes = random.bytes(40)
  const [one, other] = await Promise.all([1, 2].map(() => sealPart({ vaultKey, name, bytes, random })))
  expect(one).not.toEqual(other)
})

test('each way of opening the vault gives the vault key by its own secret only, in its own generation only', async () => {
  const password = { kind: 'password', secret: random.bytes(64) } as const
  const passkey = { kind: 'passkey', secret: random.bytes(32) } as const
  const unlocks = await Promise.all(
    [password, passkey].map(async (unlock) => {
      const { publicKey } = await unlockPair(unlock, account)
      return wrapVaultKey(vaultKey, { id: mintId(random, UnlockId), kind: unlock.kind, publicKey }, account)
    }),
  )
  const by = (unlock: Parameters<typeof unwrapVaultKey>[0]['unlock'], generation = 3) =>
    unwrapVaultKey({ unlocks, generation, unlock, account })
  expect(await by(password)).toEqual({ vaultKey, id: unlocks[0]?.id })
  expect(await by(passkey)).toEqual({ vaultKey, id: unlocks[1]?.id })
  expect(await by({ ...password, secret: random.bytes(64) })).toBeUndefined()
  expect(await by({ kind: 'passkey', secret: password.secret })).toBeUndefined()
  expect(await by(password, 4)).toBeUndefined()
  expect(await unwrapVaultKey({ unlocks, generation: 3, unlock: password, account: mintId(random, AccountId) })).toBeUndefined()
})
