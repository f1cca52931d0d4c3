import { expect, test } from 'vitest'
import { AccountId, DeviceId } from '@tacit/contract'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { openVault, sealVault, unwrapVaultKey, wrapVaultKey, type Vault } from './vault.ts'

const account = mintId(random, AccountId)
const vaultKey = random.bytes(32)
const vault: Vault = { accountKeySeed: random.bytes(32), deviceNames: new Map([[mintId(random, DeviceId), 'Küche']]) }

test('the vault opens with its key, for its account, and for nobody else', async () => {
  const sealed = await sealVault({ vault, vaultKey, account, random })
  expect(await openVault({ sealed, vaultKey, account })).toEqual(vault)
  expect(await openVault({ sealed, vaultKey: random.bytes(32), account })).toBeUndefined()
  expect(await openVault({ sealed, vaultKey, account: mintId(random, AccountId) })).toBeUndefined()
  expect(await openVault({ sealed: sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte)), vaultKey, account })).toBeUndefined()
})

test('each way of signing in unwraps the vault key by its own secret only', async () => {
  const password = { kind: 'password', secret: random.bytes(64) } as const
  const passkey = { kind: 'passkey', secret: random.bytes(32) } as const
  const unlocks = await Promise.all([password, passkey].map((unlock) => wrapVaultKey({ vaultKey, unlock, account, random })))
  for (const unlock of [password, passkey]) expect(await unwrapVaultKey({ unlocks, unlock, account })).toEqual(vaultKey)
  expect(await unwrapVaultKey({ unlocks, unlock: { ...password, secret: random.bytes(64) }, account })).toBeUndefined()
  expect(await unwrapVaultKey({ unlocks, unlock: { kind: 'passkey', secret: password.secret }, account })).toBeUndefined()
})

test('two sealings of the same vault have nothing in common', async () => {
  const [one, other] = await Promise.all([1, 2].map(() => sealVault({ vault, vaultKey, account, random })))
  expect(one).not.toEqual(other)
})
