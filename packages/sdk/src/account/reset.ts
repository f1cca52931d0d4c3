/**
 * Beginning anew when the vault cannot be opened any more: another account key and an empty vault, at the server and for everybody. The
 * next device list is signed by the new key, so all who talk to this person see that it changed.
 */
import { equalBytes, readDeviceList, routes, signDeviceList, type AccountId, type RouteResult, type Routes } from '@tacit/contract'
import { MessengerError } from '../api.ts'
import { callRoute } from '../connection/http.ts'
import { Session, storedTokens, type StoredTokens } from '../connection/session.ts'
import { rememberFormerKey } from '../devices/people.store.ts'
import { asUpload } from '../keys/key-packages.ts'
import { signingKeyFrom, type SigningKey } from '../signing.ts'
import { makeDevice } from './new-device.ts'
import { mustBeStrong, startRegistration } from './password.ts'
import { loadSelf, markBegunAnew, noteUnkept } from './settings.ts'
import { forgetFormerVault, forgetGroups } from './sign-in.ts'
import { firstVault, keepDevice, type FrontDesk } from './sign-up.ts'

type Me = RouteResult<Routes['accounts']['me']>

/** Somebody whom the server knows, and who cannot open what is theirs. */
export interface LockedOut {
  readonly session: Session
}

/** Signs in with a one-time code from the operator. Rejects with `wrong_credentials`. */
export async function enterByCode(desk: FrontDesk, given: { handle: string; code: string }): Promise<LockedOut> {
  const tokens = await callRoute(desk.server, { route: routes.sessions.recover, given: { body: given } })
  const { server, clock } = desk
  const session = new Session({
    server,
    clock,
    tokens: storedTokens(tokens, clock.now()),
    save: async () => undefined,
    ended: () => undefined,
  })
  return { session }
}

/** With `password` from now on, and nothing else. Rejects with `weak_password`, or as the server does. */
export async function resetAccount(
  desk: FrontDesk,
  { session, password, deviceName }: LockedOut & { password: string; deviceName: string },
): Promise<void> {
  const me = await session.call(routes.accounts.me, {})
  const before = await loadSelf(desk.store)
  if (before && before.account !== me.account) throw new MessengerError('not_allowed', 'This device belongs to another account.')
  mustBeStrong({ password, handle: me.handle })
  desk.step('keys')
  const { account } = me
  const registration = await startRegistration(password)
  const { registrationResponse } = await session.call(routes.unlocks.startPassword, {
    body: { registrationRequest: registration.registrationRequest },
  })
  const { registrationRecord, exportKey } = registration.finish(registrationResponse)
  const seed = desk.random.bytes(32)
  const key = await signingKeyFrom(seed)
  const made = await makeDevice(desk, { account, key })
  const { deviceList, former } = await listAnew({ account, key }, { me, certificate: made.certificate })
  const unlock = { kind: 'password', secret: exportKey } as const
  const first = await firstVault(desk, { applicant: { account, unlock, deviceName }, seed, made })
  seed.fill(0)
  desk.step('server')
  await noteUnkept(desk.store, made.device)
  const enrolment = { device: made.device, deviceList, keys: asUpload(made.keys) }
  const method = { kind: 'password', registrationRecord } as const
  await session.call(routes.accounts.reset, {
    body: { accountKey: key.publicKey, method, enrolment, vault: first.vault, unlock: first.unlock },
  })
  if (before) {
    await forgetGroups(desk)
    await desk.store.transaction(forgetFormerVault)
  }
  const { handle, sharesPresence } = me
  const self = { account, handle, accountKey: key.publicKey, sharesPresence, joinedLate: before?.joinedLate ?? desk.clock.now() }
  await keepDevice(desk, {
    self,
    made,
    deviceList,
    tokens: mustGoOn(session),
    vault: { key: first.vaultKey, version: 1, knowsDevice: true },
  })
  await desk.store.transaction(markBegunAnew)
  // The leaves of the devices of before are in our conversations until we remove them: they are ours, under the key of before.
  if (former) await desk.store.transaction((writer) => rememberFormerKey(writer, { account, accountKey: former }))
}

/** The list that follows the one there is, under the new key, with this device alone. */
async function listAnew(
  { account, key }: { account: AccountId; key: SigningKey },
  { me, certificate }: { me: Me; certificate: Uint8Array },
) {
  const current = await readDeviceList(me.deviceList)
  if (!current || current.account !== account) throw new MessengerError('identity_mismatch', 'The server presents no device list.')
  const fields = { account, accountKey: key.publicKey, version: current.version + 1, previous: current.hash, certificates: [certificate] }
  const former = equalBytes(current.accountKey, key.publicKey) ? undefined : current.accountKey
  return { deviceList: await signDeviceList(fields, key.sign), former }
}

function mustGoOn({ tokens }: Session): StoredTokens {
  if (!tokens) throw new MessengerError('session_ended', 'The session ended meanwhile. Sign in again.')
  return tokens
}
