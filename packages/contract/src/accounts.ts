/** Accounts: signing up, looking somebody up by exact handle, and what the server holds on me. */
import { z } from 'zod'
import { jsonBytes } from './bytes.ts'
import { Handle } from './handles.ts'
import { AccountId, ChallengeId, DeviceId } from './ids.ts'
import { KeyPackageUpload } from './keys.ts'
import { limits } from './limits.ts'
import { SessionTokens } from './sessions.ts'
import { SignUpMethod } from './unlocks.ts'
import { VaultUnlock } from './vault.ts'
import { route } from './vocabulary.ts'
import { WebAuthnJson } from './webauthn-json.ts'

const publicKey = jsonBytes({ min: 32, max: 32 })

/** Handle text as typed by a person; whether it is allowed is answered by `handle_not_allowed`, not by `malformed`. */
const typedHandle = z.string().max(128)

export const Enrolment = z.strictObject({
  device: DeviceId,
  /** The signed list that contains the device's certificate. */
  deviceList: jsonBytes({ min: 1, max: limits.deviceList }),
  keys: KeyPackageUpload,
})

export const Person = z.object({
  account: AccountId,
  /** In the spelling its owner chose. */
  handle: Handle,
  accountKey: publicKey,
  deviceList: jsonBytes({ max: limits.deviceList }),
})

export const accounts = {
  startPasswordSignUp: route({
    method: 'POST',
    path: '/v1/accounts/password/start',
    access: 'anyone',
    summary: 'First step of signing up with a password (OPAQUE registration, RFC 9807)',
    body: z.strictObject({ account: AccountId, handle: typedHandle, registrationRequest: z.string().max(1024) }),
    result: z.object({ registrationResponse: z.string().max(4096) }),
    status: 200,
    failures: ['handle_not_allowed', 'handle_taken'],
  }),
  startPasskeySignUp: route({
    method: 'POST',
    path: '/v1/accounts/passkey/start',
    access: 'anyone',
    summary: 'First step of signing up with a passkey (WebAuthn registration options)',
    body: z.strictObject({ account: AccountId, handle: typedHandle }),
    result: z.object({ challenge: ChallengeId, options: WebAuthnJson }),
    status: 200,
    failures: ['handle_not_allowed', 'handle_taken'],
  }),
  signUp: route({
    method: 'POST',
    path: '/v1/accounts',
    access: 'anyone',
    summary: 'Creates account, first device, key packages and vault in one step, and signs in',
    body: z.strictObject({
      account: AccountId,
      handle: typedHandle,
      accountKey: publicKey,
      method: SignUpMethod,
      enrolment: Enrolment,
      /** The part `keys`, the others are empty. */
      vault: jsonBytes({ min: 1, max: limits.vaultPart }),
      unlock: VaultUnlock,
    }),
    result: SessionTokens,
    status: 201,
    failures: [
      'handle_not_allowed',
      'handle_taken',
      'already_exists',
      'wrong_credentials',
      'expired',
      'invalid_device_list',
      'invalid_key_package',
      'storage_full',
    ],
  }),
  lookUp: route({
    method: 'GET',
    path: '/v1/people/:handle',
    access: 'device',
    summary: 'Finds a person by exact handle, whatever its case',
    params: z.object({ handle: typedHandle }),
    result: Person,
    status: 200,
    failures: [],
  }),
  me: route({
    method: 'GET',
    path: '/v1/me',
    access: 'account',
    summary: 'My account',
    result: z.object({
      account: AccountId,
      handle: Handle,
      /** The device this session is bound to. */
      device: DeviceId.nullable(),
      accountKey: publicKey,
      deviceList: jsonBytes({ max: limits.deviceList }),
      createdAt: z.iso.datetime(),
      /** Whether people who share a conversation see when I am online (mutual). */
      sharesPresence: z.boolean(),
    }),
    status: 200,
    failures: [],
  }),
  changeMe: route({
    method: 'PATCH',
    path: '/v1/me',
    access: 'device',
    summary: 'Changes my settings that the server must know',
    body: z.strictObject({ sharesPresence: z.boolean() }),
    result: z.object({ sharesPresence: z.boolean() }),
    status: 200,
    failures: [],
  }),
  reset: route({
    method: 'POST',
    path: '/v1/me/reset',
    access: 'account',
    summary: 'A new account key where the vault cannot be opened any more: everything before is given up, and everybody sees it',
    body: z.strictObject({
      accountKey: publicKey,
      method: SignUpMethod,
      enrolment: Enrolment,
      vault: jsonBytes({ min: 1, max: limits.vaultPart }),
      unlock: VaultUnlock,
    }),
    result: z.object({ device: DeviceId }),
    status: 200,
    failures: [
      'not_allowed',
      'wrong_credentials',
      'expired',
      'invalid_device_list',
      'invalid_key_package',
      'version_conflict',
      'already_exists',
    ],
  }),
}
