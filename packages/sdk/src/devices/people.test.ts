import { expect, test } from 'vitest'
import { AccountId, DeviceId, readDeviceList, signDeviceCertificate, signDeviceList, type AccountId as Account } from '@tacit/contract'
import type { Session } from '../connection/session.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { mintId } from '../sealing.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { firstDeviceList } from '../account/new-device.ts'
import { isCompared } from './people.store.ts'
import { People } from './people.ts'

const account = mintId(random, AccountId)
const newKey = () => signingKeyFrom(random.bytes(32))

async function certificateBy(key: SigningKey): Promise<Uint8Array> {
  const { publicKey: signatureKey } = await newKey()
  const fields = { account, accountKey: key.publicKey, device: mintId(random, DeviceId), signatureKey, notAfter: 4_000_000_000 }
  return signDeviceCertificate(fields, key.sign)
}

/** A device that has pinned somebody's first key, and what the server presents to it from now on. */
async function acquainted() {
  const key = await newKey()
  const first = await firstDeviceList({ account, key }, await certificateBy(key))
  const store = openMemoryStore()
  await migrate(store)
  const world = { presented: first, isLogged: true, hasGoneBack: false, changed: [] as Account[] }
  const session = { call: async () => ({ deviceList: world.presented, handle: 'Erin' }) } as unknown
  const people = new People({
    store,
    session: session as Session,
    keyLog: {
      confirm: async () => (world.isLogged ? new Uint8Array() : undefined),
      notLogged: async () => undefined,
      hasGoneBack: async () => world.hasGoneBack,
    },
    self: mintId(random, AccountId),
    renamed: () => undefined,
    identityChanged: async (who) => void world.changed.push(who),
  })
  await people.refresh(account)
  /** The list after the first, by another key. */
  const anew = async (changes: { version?: number; previous?: Uint8Array } = {}) => {
    const other = await newKey()
    const previous = (await readDeviceList(first))?.hash ?? new Uint8Array()
    const fields = { account, accountKey: other.publicKey, version: 2, previous, certificates: [await certificateBy(other)], ...changes }
    return { key: other, list: await signDeviceList(fields, other.sign) }
  }
  return { store, people, world, key, anew }
}

test('a new account key is taken when it continues the lists and is in the log, told once, and takes the mark of a comparison away', async () => {
  const { store, people, world, key, anew } = await acquainted()
  await store.transaction((writer) => writer.run('update person set compared_key = account_key'))
  const reset = await anew()
  world.presented = reset.list
  expect((await people.refresh(account))?.pin.accountKey).toEqual(reset.key.publicKey)
  await people.refresh(account)
  expect(world.changed).toEqual([account])
  expect(await isCompared(store, account)).toBe(false)
  expect(await people.hadKey(account, key.publicKey)).toBe(true)
  expect(await people.hadKey(account, reset.key.publicKey)).toBe(false)
})

test('a new account key that is not in the log is not taken', async () => {
  const { people, world, key, anew } = await acquainted()
  world.presented = (await anew()).list
  world.isLogged = false
  await expect(people.refresh(account)).rejects.toMatchObject({ failure: 'identity_mismatch' })
  expect((await people.known(account))?.pin.accountKey).toEqual(key.publicKey)
})

test('a new account key whose list does not continue the one that is known is not taken, and told', async () => {
  for (const changes of [{ version: 1, previous: new Uint8Array() }, { previous: random.bytes(32) }]) {
    const { people, world, key, anew } = await acquainted()
    world.presented = (await anew(changes)).list
    await expect(people.refresh(account)).rejects.toMatchObject({ failure: 'identity_mismatch' })
    expect((await people.known(account))?.pin.accountKey).toEqual(key.publicKey)
    expect(world.changed).toEqual([account])
  }
})
