import { expect, test } from 'vitest'
import { DeviceId } from '@tacit/contract'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { changeVault, fetchVault, unlockIdOf } from './own-vault.ts'
import { openPart, sealPart } from './parts.ts'
import { rotateVaultKey } from './rotate.ts'
import { unwrapVaultKey, wrapVaultKey } from './unlock.ts'
import { vaultTown } from './vault-server.test-support.ts'
import { encodeVault, withDevice } from './vault.ts'

test('after a device was removed, its vault key opens nothing that is on the server', async () => {
  const { server, account, phone, tablet } = await vaultTown()
  const old = await tablet.memory.key()
  await rotateVaultKey(phone, [tablet.self.device])
  const keys = server.held.parts[0]
  if (!old || !keys) throw new Error('nothing there')
  for (const generation of [1, 2])
    expect(await openPart({ vaultKey: { ...old, generation }, name: { ...keys, account }, sealed: keys.bytes })).toBeUndefined()
  await expect(fetchVault(tablet)).rejects.toMatchObject({ failure: 'vault_locked' })
})

test('the device that replaced the vault key, the other devices and the password open the vault as before', async () => {
  const { server, account, unlock, phone, tablet } = await vaultTown()
  await rotateVaultKey(phone, [])
  expect([...(await fetchVault(phone)).devices.values()].map(({ name }) => name)).toEqual(['Phone', 'Tablet'])
  const { accountKeySeed, vaultKey } = await fetchVault(tablet)
  expect(vaultKey).toEqual(await phone.memory.key())
  expect(await unwrapVaultKey({ ...server.held, unlock, account })).toMatchObject({ vaultKey })
  expect(accountKeySeed.length).toBe(32)
  await rotateVaultKey(tablet, [])
  expect((await fetchVault(phone)).vaultKey.generation).toBe(3)
})

test('a name that was given while the vault key was being replaced is in the vault, and so is the other way round', async () => {
  const { server, phone, tablet } = await vaultTown()
  const device = mintId(random, DeviceId)
  const name = (called: string) => changeVault(tablet, (vault) => withDevice(vault, device, { name: called, publicKey: phoneKey }))
  const phoneKey = (await fetchVault(phone)).devices.get(phone.self.device)?.publicKey ?? new Uint8Array()
  server.before = () => name('Kitchen')
  await rotateVaultKey(phone, [])
  expect((await fetchVault(phone)).devices.get(device)?.name).toBe('Kitchen')
  server.before = () => rotateVaultKey(phone, [])
  await name('Garden')
  const { devices, vaultKey } = await fetchVault(phone)
  expect([devices.get(device)?.name, vaultKey.generation]).toEqual(['Garden', 3])
})

test('a server that presents an older vault is noticed, also one of an older vault key', async () => {
  const { server, phone } = await vaultTown()
  const old = structuredClone(server.held)
  await changeVault(phone, (vault) => withDevice(vault, phone.self.device, { name: 'Telephone', publicKey: new Uint8Array(1216) }))
  const newer = structuredClone(server.held)
  server.held = structuredClone(old)
  await expect(fetchVault(phone)).rejects.toMatchObject({ failure: 'vault_rolled_back' })
  server.held = newer
  await changeVault(phone, (vault) => vault)
  await expect(rotateVaultKey(phone, [phone.self.device])).resolves.toBeUndefined()
  server.held = old
  await expect(fetchVault(phone)).rejects.toMatchObject({ failure: 'vault_rolled_back' })
})

test('a vault that somebody made up for a public key that they learned somehow is not followed', async () => {
  const { server, account, phone } = await vaultTown()
  const { devices, ...vault } = await fetchVault(phone)
  const mine = devices.get(phone.self.device)
  if (!mine) throw new Error('the phone is not in the vault')
  const vaultKey = { key: random.bytes(32), generation: 2 }
  const bytes = encodeVault({ ...vault, devices, accountKeySeed: random.bytes(32) })
  const unlock = await wrapVaultKey(vaultKey, { id: unlockIdOf(phone.self.device), kind: 'device', publicKey: mine.publicKey }, account)
  server.held = {
    generation: 2,
    parts: [{ part: 'keys', version: 2, bytes: await sealPart({ vaultKey, name: { account, part: 'keys', version: 2 }, bytes, random }) }],
    unlocks: [unlock],
  }
  await expect(fetchVault(phone)).rejects.toMatchObject({ failure: 'vault_locked' })
  expect((await phone.memory.key())?.generation).toBe(1)
})
