import { AccountId, DeviceId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { idleDevices } from './tidy-devices.ts'

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
