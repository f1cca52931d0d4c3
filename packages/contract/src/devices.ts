/** Devices and the account's signed list of them. */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { AccountId, DeviceId } from './ids.ts'
import { KeyPackageUpload } from './keys.ts'
import { limits } from './limits.ts'
import { event, route } from './vocabulary.ts'

const deviceList = jsonBytes({ min: 1, max: limits.deviceList })

export const devices = {
  enrol: route({
    method: 'POST',
    path: '/v1/devices',
    access: 'account',
    summary: 'Binds this session to a new device, which the new device list names',
    body: z.strictObject({ device: DeviceId, deviceList, keys: KeyPackageUpload }),
    result: z.object({ device: DeviceId }),
    status: 201,
    failures: ['already_exists', 'invalid_device_list', 'invalid_key_package', 'version_conflict', 'too_many'],
  }),
  list: route({
    method: 'GET',
    path: '/v1/accounts/:account/device-list',
    access: 'device',
    summary: 'The signed device list of my own account, or of somebody I share a conversation with',
    params: z.object({ account: AccountId }),
    result: z.object({ deviceList: jsonBytes({ max: limits.deviceList }), handle: z.string().max(limits.handleMax) }),
    status: 200,
    failures: [],
  }),
  replaceList: route({
    method: 'PUT',
    path: '/v1/device-list',
    access: 'account',
    summary:
      'The next version of my device list; devices that left it lose their sessions. To take off another device that is in use takes a fresh proof',
    body: z.strictObject({ deviceList }),
    result: z.object({ version: z.int().min(1) }),
    status: 200,
    failures: ['invalid_device_list', 'version_conflict', 'proof_needed'],
  }),
  offerListAgain: route({
    method: 'PUT',
    path: '/v1/device-list/again',
    access: 'account',
    summary:
      'The next version of my device list as this server had it before it lost it, with the server’s own signed proof that it had it',
    body: z.strictObject({ deviceList, proof: jsonBytes({ min: 1, max: limits.transparencyProof }) }),
    result: z.object({ version: z.int().min(1) }),
    status: 200,
    failures: ['invalid_device_list', 'version_conflict'],
  }),
}

export const deviceEvents = {
  changed: event({
    code: 5,
    summary: 'The device list of somebody I share a conversation with (or my own) has a new version',
    body: z.object({ account: AccountId, version: z.int().min(1) }),
  }),
}
