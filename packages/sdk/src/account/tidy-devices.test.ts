import { AccountId, DeviceId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { fetchVault } from '../vault/own-vault.ts'
import { vaultTown } from '../vault/vault-server.test-support.ts'
import { idleDevices, tidyDevices } from './tidy-devices.ts'

const DAY = 86_400_000
const now = Date.UTC(2027, 0, 1)
const account = mintId(random, AccountId)

/** A device whose certificate was made so many days ago. */
const madeAgo = (days: number) => ({
  account,
  accountKey: new Uint8Array(32),
  device: mintId(random, DeviceId),
  signatureKey: new Uint8Array(32),
  notAfter: (now - days * DAY) / 1000 + 365 * 86_400,
})

test('a device is idle when neither its certificate nor a use of it is of the last 45 days, or as many as its owner chose; the own one never is', () => {
  const [self, forgotten, used, renewed, onTheDay] = [madeAgo(300), madeAgo(300), madeAgo(300), madeAgo(44), madeAgo(45)]
  const lastUsed = new Map([
    [forgotten.device, now - 46 * DAY],
    [used.device, now - 44 * DAY],
  ])
  const devices = [self, forgotten, used, renewed, onTheDay]
  expect(idleDevices({ devices, self: self.device, lastUsed, now, days: 45 })).toEqual([forgotten.device])
  expect(idleDevices({ devices, self: self.device, lastUsed, now, days: 14 }).length).toBe(4)
  expect(idleDevices({ devices, self: self.device, lastUsed, now, days: 90 })).toEqual([])
})

/** What a device of the town sees of its account, with these on the signed list. */
async function tidying(access: Awaited<ReturnType<typeof vaultTown>>['phone'], listed: readonly DeviceId[]) {
  const store = openMemoryStore()
  await migrate(store)
  const devices = listed.map((device) => ({ ...madeAgo(1), device }))
  const pin = { account: access.self.account, handle: 'Alice', accountKey: access.self.accountKey, listVersion: 2 }
  const nothing = new Uint8Array()
  const refreshList = async () => ({ pin: { ...pin, listHash: nothing, list: nothing }, devices })
  return { ...access, clock: { now: () => now }, store, refreshList }
}

test('whoever is off the list and still in the vault loses the vault key to another own device, when the remover did not come to it', async () => {
  const { phone, tablet } = await vaultTown()
  expect(await tidyDevices(await tidying(phone, [phone.self.device]))).toEqual([])
  expect([...(await fetchVault(phone)).devices.keys()]).toEqual([phone.self.device])
  await expect(fetchVault(tablet)).rejects.toMatchObject({ failure: 'vault_locked' })
})

test('nobody who is on the list loses the vault key', async () => {
  const { server, phone, tablet } = await vaultTown()
  expect(await tidyDevices(await tidying(phone, [phone.self.device, tablet.self.device]))).toEqual([])
  expect(server.held.generation).toBe(1)
  expect((await fetchVault(tablet)).devices.size).toBe(2)
})
