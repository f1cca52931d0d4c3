/** Key packages (RFC 9420 section 10): published ahead, claimed once, with a last resort that is not used up. */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { AccountId, DeviceId } from './ids.ts'
import { limits } from './limits.ts'
import { event, route } from './vocabulary.ts'

const keyPackage = jsonBytes({ min: 1, max: limits.keyPackage })

export const KeyPackageUpload = z.strictObject({
  oneTime: z.array(keyPackage).max(limits.keyPackagesPerUpload),
  /** Replaces the device's last-resort package. */
  lastResort: keyPackage.optional(),
})
export type KeyPackageUpload = z.output<typeof KeyPackageUpload>

export const keys = {
  publish: route({
    method: 'POST',
    path: '/v1/key-packages',
    access: 'device',
    summary: 'Adds key packages of this device',
    body: KeyPackageUpload,
    result: z.object({ available: z.int().min(0) }),
    status: 201,
    failures: ['invalid_key_package', 'too_many'],
  }),
  count: route({
    method: 'GET',
    path: '/v1/key-packages',
    access: 'device',
    summary: 'How many one-time key packages of this device are left',
    result: z.object({ available: z.int().min(0) }),
    status: 200,
    failures: [],
  }),
  claim: route({
    method: 'POST',
    path: '/v1/key-packages/claim',
    access: 'device',
    summary: 'Takes one key package for each listed device of one account; a one-time package is handed out once',
    body: z.strictObject({ account: AccountId, devices: z.array(DeviceId).min(1).max(limits.devicesPerAccount) }),
    result: z.object({
      keyPackages: z.array(z.object({ device: DeviceId, keyPackage: jsonBytes({ max: limits.keyPackage }) })).max(limits.devicesPerAccount),
    }),
    status: 200,
    failures: [],
  }),
}

export const keyEvents = {
  low: event({ code: 9, summary: 'This device has few one-time key packages left', body: z.object({ available: z.int().min(0) }) }),
}
